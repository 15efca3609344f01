with

delivered as (

    {{ delivered_records('tables', 'labels') }}

),

with_fields as (

    select
        *,
        {{ table_fields('record_text', 'labels') }} as fields
    from delivered

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        {{ table_record('fields', 'labels') }} as label
    from with_fields

),

renamed as (

    select
        record_file,
        record_row,
        record_text,
        label is not null as is_parsed,
        {{ table_id(clean_value('label.source_record_id')) }} as source_record_id,
        {{ clean_value('label.source') }} as source_name,
        {{ clean_value('label.is_ai') }} as delivered_label,
        {{ yes_or_no('label.is_ai') }} as is_ai,
        coalesce({{ clean_value('label.label_source') }}, 'imported') as label_source,
        {{ clean_value('label.confidence') }} as delivered_confidence,
        try_cast({{ clean_value('label.confidence') }} as double) as label_confidence,
        {{ clean_value('label.sampling_weight') }} as delivered_weight,
        try_cast({{ clean_value('label.sampling_weight') }} as double) as sampling_weight
    from parsed

),

judged as (

    select
        *,
        case
            when not is_parsed then 'malformed_record'
            when source_record_id is null then 'missing_identifier'
            when delivered_label is null then 'missing_label'
            when is_ai is null then 'unreadable_label'
            when
                delivered_confidence is not null
                and coalesce(label_confidence not between 0 and 1, true)
                then 'unreadable_confidence'
            when
                delivered_weight is not null
                and coalesce(not sampling_weight > 0 or sampling_weight > 1e9, true)
                then 'unreadable_weight'
        end as rejection_reason
    from renamed

)

select
    record_file,
    record_row,
    source_record_id,
    source_name,
    is_ai,
    label_source,
    label_confidence,
    sampling_weight,
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from judged
