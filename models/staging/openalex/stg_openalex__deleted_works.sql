with

delivered as (

    {{ delivered_records('openalex', 'deleted_works') }}

),

parsed as (

    select {{ parse_json('record_text', {'id': 'text', 'work_id': 'text'}) }} as work
    from delivered

)

select nullif({{ regexp_first('coalesce(work.work_id, work.id)', 'W[0-9]+$') }}, '') as source_record_id
from parsed
