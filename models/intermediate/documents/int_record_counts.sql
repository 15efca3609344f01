with

-- Counted where records come in, not where they have already been joined.
records as (

    {% for document_type in ['paper', 'patent'] %}
    {% set is_last_type = loop.last %}
    {% for system, model in staging_models(document_type ~ 's').items() %}
    select
        '{{ document_type }}' as document_type,
        '{{ system }}' as source_system,
        source_name
    from {{ ref(model) }}
    {{ 'union all' if not (loop.last and is_last_type) }}
    {% endfor %}
    {% endfor %}

),

delivered as (

    select
        document_type,
        source_system,
        source_name,
        count(*) as delivered_records
    from records
    group by document_type, source_system, source_name

),

rejected as (

    {% for document_type in ['paper', 'patent'] %}
    select
        '{{ document_type }}' as document_type,
        source_system,
        source_name,
        count(*) as rejected_records
    from {{ ref('int_' ~ document_type ~ 's_unioned') }}
    where rejection_reason is not null
    group by source_system, source_name
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

accepted as (

    select
        document_type,
        source_system,
        source_name,
        count(*) filter (where is_survivor) as accepted_records,
        count(*) filter (where not is_survivor) as merged_records
    from {{ ref('int_document_records') }}
    group by document_type, source_system, source_name

)

select
    delivered.document_type,
    delivered.source_system,
    delivered.source_name,
    delivered.delivered_records,
    coalesce(accepted.accepted_records, 0) as accepted_records,
    coalesce(accepted.merged_records, 0) as merged_records,
    coalesce(rejected.rejected_records, 0) as rejected_records
from delivered
left join accepted
    on
        delivered.document_type = accepted.document_type
        and delivered.source_system = accepted.source_system
        and delivered.source_name = accepted.source_name
left join rejected
    on
        delivered.document_type = rejected.document_type
        and delivered.source_system = rejected.source_system
        and delivered.source_name = rejected.source_name
