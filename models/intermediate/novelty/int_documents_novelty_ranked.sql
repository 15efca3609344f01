{% set steps = [2, 3, 4, 5, 6, 8, 11, 16] %}
with

scored as (

    select
        *,
        case
            when novelty is null then null
            {%- for step in steps | reverse %}
            when known_nodes >= {{ step }} then {{ step }}
            {%- endfor %}
        end as known_nodes_from
    from {{ ref('int_documents_novelty_scored') }}

),

ranked as (

    select
        *,
        rank() over (
            partition by corpus, year, known_nodes_from
            order by novelty
        ) as first_rank,
        count(*) over (partition by corpus, year, known_nodes_from, novelty) as tied,
        count(*) over (partition by corpus, year, known_nodes_from) as compared_documents
    from scored

)

select
    hyperedge_id,
    document_id,
    corpus,
    year,
    node_count,
    known_nodes,
    surprise,
    novelty,
    case
        when novelty is not null then (first_rank + (tied - 1) / 2.0e0 - 0.5e0) / compared_documents
    end as novelty_percentile,
    cast(case when novelty is not null then compared_documents end as integer) as compared_documents,
    reason,
    state_year,
    model_version
from ranked
