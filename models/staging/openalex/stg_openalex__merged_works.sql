with

delivered as (

    {{ delivered_records('openalex', 'merged_works') }}

),

parsed as (

    select
        record_file,
        record_row,
        {{ parse_json('record_text', {'merge_date': 'text', 'id': 'text', 'merge_into_id': 'text'}) }} as work
    from delivered

)

select
    record_file,
    record_row,
    {{ clean_date('work.merge_date') }} as merge_date,
    {{ openalex_id('work.id', 'W') }} as source_record_id,
    {{ openalex_id('work.merge_into_id', 'W') }} as merged_into_record_id
from parsed
