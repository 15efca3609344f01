with

unioned as (

    {% for document_type in ['paper', 'patent'] %}
    {% for system, model in staging_models(document_type ~ 's').items() %}
    {{ unread_values(ref(model), system, document_type) }}

    union all

    {% endfor %}
    {% endfor %}
    -- Codes of accepted patents that are none.
    select
        source_system,
        source_name,
        'patent' as document_type,
        'value' as kind,
        'codes' as field,
        delivered_code as value,
        count(*) as records
    from {{ ref('int_codes_parsed') }}
    where not is_wellformed and delivered_code is not null
    group by source_system, source_name, delivered_code

    union all

    -- Labels and links that name what no document is, or say neither yes nor no.
    select
        'tables' as source_system,
        coalesce(label_source, 'tables') as source_name,
        'label' as document_type,
        'value' as kind,
        case
            when rejection_reason is null then 'source_record_id'
            when rejection_reason = 'unreadable_confidence' then 'confidence'
            when rejection_reason = 'unreadable_weight' then 'sampling_weight'
            else 'is_ai'
        end as field,
        case
            when rejection_reason is null then source_record_id
            else substring(raw_record, 1, 100)
        end as value,
        count(*) as records
    from {{ ref('int_labels_imported') }}
    where
        (rejection_reason is null and document_id is null)
        or rejection_reason in (
            'missing_label', 'unreadable_label', 'unreadable_confidence', 'unreadable_weight'
        )
    group by
        coalesce(label_source, 'tables'),
        field,
        case when rejection_reason is null then source_record_id else substring(raw_record, 1, 100) end
    {% for side in ['paper', 'patent'] %}

    union all

    select
        'tables' as source_system,
        'tables' as source_name,
        'link' as document_type,
        'value' as kind,
        '{{ side }}_id' as field,
        {{ side }}_record_id as value,
        count(distinct record_row) as records
    from {{ ref('int_links_imported') }}
    where rejection_reason is null and {{ side }}_id is null
    group by {{ side }}_record_id
    {% endfor %}

)

select
    source_system,
    source_name,
    document_type,
    kind,
    field,
    value,
    cast(sum(records) as bigint) as records
from unioned
group by source_system, source_name, document_type, kind, field, value
