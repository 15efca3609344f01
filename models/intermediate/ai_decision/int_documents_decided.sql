with

assessed as (

    select * from {{ ref('int_documents_assessed') }}

),

outer_judgements as (

    select * from {{ ref('int_documents_classified') }}
    where layer = 'outer'

),

inner_judgements as (

    select * from {{ ref('int_documents_classified') }}
    where layer = 'inner'

),

labels as (

    select * from {{ ref('int_labels_resolved') }}
    where
        is_ai is not null
        and (
            1 = 0
            {% for prefix in var('deciding_label_sources') -%}
            or substring(label_source, 1, {{ prefix | length }}) = '{{ prefix }}'
            {% endfor -%}
        )

),

judged as (

    select
        assessed.document_id,
        assessed.document_type,
        assessed.language,
        assessed.refusal,
        assessed.outer_threshold,
        assessed.inner_threshold,
        assessed.filter_model_version,
        assessed.filter_score,
        assessed.filter_threshold,
        outer_judgements.probability as outer_probability,
        inner_judgements.probability as inner_probability,
        outer_judgements.model_version as outer_model_version,
        inner_judgements.model_version as inner_model_version,
        labels.is_ai as label_is_ai,
        labels.label_source
    from assessed
    left join outer_judgements
        on
            assessed.document_id = outer_judgements.document_id
            and assessed.text_hash = outer_judgements.text_hash
            and assessed.outer_model_version = outer_judgements.model_version
            and assessed.refusal is null
    left join inner_judgements
        on
            assessed.document_id = inner_judgements.document_id
            and assessed.text_hash = inner_judgements.text_hash
            and assessed.inner_model_version = inner_judgements.model_version
            and assessed.outer_threshold <= outer_judgements.probability
    left join labels on assessed.document_id = labels.document_id

),

decided as (

    select
        *,
        case
            when label_is_ai is not null then 'label'
            when refusal = 'no_rule_matches' then 'rule'
            when refusal = 'below_word_filter' then 'filter'
            when refusal is not null then null
            when outer_probability < outer_threshold then 'outer'
            else 'inner'
        end as decided_by
    from judged

)

select
    document_id,
    document_type,
    case decided_by
        when 'label' then label_is_ai
        when 'rule' then false
        when 'filter' then false
        when 'outer' then false
        when 'inner' then inner_probability >= inner_threshold
    end as is_ai,
    decided_by,
    case decided_by
        when 'label' then label_source
        when 'rule' then '{{ var("rule_definitions") | join(", ") }}'
        when 'filter' then filter_model_version
        when 'outer' then outer_model_version
        when 'inner' then inner_model_version
    end as decision_source,
    case
        when decided_by = 'label' then 'label of ' || label_source
        when refusal = 'language_not_supported' then 'language_not_supported: ' || language
        when decided_by = 'filter' then 'score of the word filter below its threshold'
        when refusal is not null then refusal
        when decided_by = 'outer' then 'outer probability below its threshold'
        when inner_probability >= inner_threshold then 'inner probability at or above its threshold'
        else 'inner probability below its threshold'
    end as reason,
    outer_probability,
    inner_probability,
    outer_threshold,
    inner_threshold,
    outer_model_version,
    inner_model_version,
    filter_score,
    filter_threshold
from decided
