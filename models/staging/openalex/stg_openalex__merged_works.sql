with

delivered as (

    {{ delivered_records('openalex', 'merged_works') }}

),

parsed as (

    select {{ parse_json('record_text', {'merge_date': 'text', 'id': 'text', 'merge_into_id': 'text'}) }} as work
    from delivered

)

select
    try_cast(work.merge_date as date) as merge_date,
    nullif(regexp_extract(work.id, 'W[0-9]+$', 0), '') as source_record_id,
    nullif(regexp_extract(work.merge_into_id, 'W[0-9]+$', 0), '') as merged_into_record_id
from parsed
