{% set steps = [2, 3, 4, 5, 6, 8, 11, 16] %}
with

edges as (

    select
        hyperedge_id,
        nodes,
        weight
    from {{ ref('int_hyperedges') }}

),

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
    ranked.hyperedge_id,
    ranked.corpus,
    ranked.document_id,
    ranked.year as novelty_year,
    edges.nodes,
    edges.weight,
    ranked.node_count,
    ranked.known_nodes,
    ranked.surprise,
    ranked.novelty,
    case
        when ranked.novelty is not null
            then (ranked.first_rank + (ranked.tied - 1) / 2.0e0 - 0.5e0) / ranked.compared_documents
    end as novelty_percentile,
    cast(case when ranked.novelty is not null then ranked.compared_documents end as integer) as compared_documents,
    ranked.reason,
    ranked.state_year as novelty_state_year,
    ranked.model_version as novelty_model_version
from ranked
inner join edges on ranked.hyperedge_id = edges.hyperedge_id
