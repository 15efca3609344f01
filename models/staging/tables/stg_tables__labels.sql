with

delivered as (

    {{ delivered_records('tables', 'labels') }}

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        {{ parse_json('record_text', {
            'source_record_id': 'text', 'source': 'text', 'is_ai': 'text', 'label_source': 'text',
        }) }} as label
    from delivered

),

renamed as (

    select
        record_file,
        record_row,
        record_text,
        label is not null as is_parsed,
        {{ clean_text('label.source_record_id') }} as source_record_id,
        {{ clean_text('label.source') }} as source_name,
        try_cast({{ clean_text('lower(label.is_ai)') }} as boolean) as is_ai,
        coalesce({{ clean_text('label.label_source') }}, 'imported') as label_source
    from parsed

),

judged as (

    select
        *,
        case
            when not is_parsed then 'malformed_record'
            when source_record_id is null then 'missing_identifier'
            when is_ai is null then 'missing_label'
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
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from judged
