with

delivered as (

    {{ delivered_records('openalex', 'deleted_works') }}

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        {{ parse_json('record_text', {'work_id': 'text', 'id': 'text', 'openalex_id': 'text'}) }} as work
    from delivered

)

-- Of a list with other columns, the first value that looks like the id of a work.
select
    record_file,
    record_row,
    coalesce(
        {{ openalex_id('work.work_id', 'W') }},
        {{ openalex_id('work.id', 'W') }},
        {{ openalex_id('work.openalex_id', 'W') }},
        nullif(upper({{ regexp_first('record_text', '"(https?://openalex[.]org/)?([Ww][0-9]+)"', 2) }}), '')
    ) as source_record_id
from parsed
