with

delivered as (

    {{ delivered_records('openalex', 'merged_works') }}

),

parsed as (

    select {{ parse_json('record_text', {'merge_date': 'text', 'id': 'text', 'merge_into_id': 'text'}) }} as work
    from delivered

)

select
    {{ date_from_text('work.merge_date') }} as merge_date,
    nullif({{ regexp_first('work.id', 'W[0-9]+$') }}, '') as source_record_id,
    nullif({{ regexp_first('work.merge_into_id', 'W[0-9]+$') }}, '') as merged_into_record_id
from parsed
