with

hyperedges as (

    select * from {{ ref('int_hyperedges') }}
    where hypergraph = 'content'

),

nodes as (

    select
        replace(corpus, '_content', '') as document_type,
        node_id,
        first_year
    from {{ ref('int_hypergraph_nodes') }}
    where corpus in ('paper_content', 'patent_content')

),

pairs as (

    select
        hyperedges.document_type,
        hyperedges.year,
        hyperedges.weight,
        first_node,
        second_node
    from hyperedges
    {{ unnest_list('hyperedges.nodes', 'first_node', 'first_position') }}
    {{ unnest_list('hyperedges.nodes', 'second_node', 'second_position') }}
    where second_position > first_position

),

counted as (

    select
        document_type,
        first_node,
        second_node,
        year,
        sum({{ exact('weight') }}) as documents
    from pairs
    group by document_type, first_node, second_node, year

),

-- All pairs that a keyword was part of, and all pairs there were, up to each year but without it.
ends as (

    select
        document_type,
        first_node as node_id,
        year,
        documents
    from counted

    union all

    select
        document_type,
        second_node as node_id,
        year,
        documents
    from counted

),

ends_of_years as (

    select
        document_type,
        node_id,
        year,
        sum(documents) as pairs
    from ends
    group by document_type, node_id, year

),

strengths as (

    select
        ends_of_years.document_type,
        ends_of_years.node_id,
        ends_of_years.year,
        nodes.first_year,
        {{ counted_documents("sum(ends_of_years.pairs) over (
            partition by ends_of_years.document_type, ends_of_years.node_id
            order by ends_of_years.year
            rows between unbounded preceding and 1 preceding
        )") }} as earlier_pairs
    from ends_of_years
    inner join nodes on ends_of_years.document_type = nodes.document_type and ends_of_years.node_id = nodes.node_id

),

totals as (

    select
        document_type,
        year,
        {{ counted_documents("sum(sum(documents)) over (
            partition by document_type
            order by year
            rows between unbounded preceding and 1 preceding
        )") }} as earlier_pairs
    from counted
    group by document_type, year

),

cumulated as (

    select
        document_type,
        first_node,
        second_node,
        year,
        {{ counted_documents('documents') }} as documents,
        {{ counted_documents("sum(documents) over (
            partition by document_type, first_node, second_node
            order by year
            rows between unbounded preceding and 1 preceding
        )") }} as earlier_documents
    from counted

)

select
    cumulated.document_type,
    cumulated.first_node,
    cumulated.second_node,
    cumulated.year,
    cumulated.documents,
    cumulated.earlier_documents,
    greatest(first_strengths.first_year, second_strengths.first_year) < cumulated.year as are_known,
    case
        when totals.earlier_pairs > 0
            then first_strengths.earlier_pairs * second_strengths.earlier_pairs / (2 * totals.earlier_pairs)
    end as expected_documents
from cumulated
inner join strengths as first_strengths
    on
        cumulated.document_type = first_strengths.document_type
        and cumulated.first_node = first_strengths.node_id
        and cumulated.year = first_strengths.year
inner join strengths as second_strengths
    on
        cumulated.document_type = second_strengths.document_type
        and cumulated.second_node = second_strengths.node_id
        and cumulated.year = second_strengths.year
inner join totals on cumulated.document_type = totals.document_type and cumulated.year = totals.year
