with

nodes as (

    select
        corpus,
        node,
        min(year) as first_year
    from {{ ref('int_hypergraph_members') }}
    group by corpus, node

)

-- By their first year: leaving out the last years changes no number that remains.
select
    corpus,
    cast(row_number() over (
        partition by corpus
        order by first_year, node
    ) - 1 as integer) as node_id,
    node,
    first_year
from nodes
