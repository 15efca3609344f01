with

families as (

    select * from {{ ref('int_document_families') }}

),

indicators as (

    select * from {{ ref('int_documents_novelty_indicated') }}

),

{% for hypergraph in ['content', 'context'] %}
{{ hypergraph }} as (

    select * from {{ ref('hyperedges') }}
    where corpus in ('paper_{{ hypergraph }}', 'patent_{{ hypergraph }}')

),

{% endfor %}

reasons as (

    select
        families.document_id,
        case
            when families.year is null then 'no_year'
            when content.document_id is null then 'no_keywords'
            else replace(content.reason, 'nodes', 'keywords')
        end as novelty_reason,
        case
            when families.year is null then 'no_year'
            when context.document_id is null then 'no_classes'
            else replace(context.reason, 'nodes', 'classes')
        end as context_reason
    from families
    left join content on families.document_id = content.document_id
    left join context on families.document_id = context.document_id

)

select
    families.document_id,
    families.document_type,
    families.year as novelty_year,
    coalesce(content.node_count, 0) as keyword_count,
    coalesce(content.known_nodes, 0) as known_keywords,
    content.surprise,
    content.novelty,
    content.novelty_percentile,
    content.compared_documents,
    reasons.novelty_reason,
    content.novelty_state_year,
    content.novelty_model_version,
    coalesce(context.node_count, 0) as class_count,
    coalesce(context.known_nodes, 0) as known_classes,
    context.surprise as context_surprise,
    context.novelty as context_novelty,
    context.novelty_percentile as context_novelty_percentile,
    reasons.context_reason,
    indicators.new_keyword_share,
    indicators.mean_keyword_age,
    indicators.youngest_keyword_age,
    indicators.new_pair_share,
    indicators.rarest_pair_documents,
    indicators.mean_pmi,
    indicators.commonness_novelty,
    indicators.atypicality_median,
    indicators.atypicality_tenth_percentile
from families
inner join reasons on families.document_id = reasons.document_id
left join content on families.document_id = content.document_id
left join context on families.document_id = context.document_id
left join indicators on families.document_id = indicators.document_id
