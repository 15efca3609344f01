{% set day = '(19|20)[0-9]{2}[-_]?(0[1-9]|1[0-2])[-_]?(0[1-9]|[12][0-9]|3[01])' -%}
with

counted as (

    select * from {{ ref('int_files_counted') }}

),

states as (

    select * from {{ ref('int_files_delivered') }}

),

-- A day in the name of the file, or of the folder that OpenAlex puts what it changed on a day into.
named as (

    select
        *,
        coalesce(
            nullif({{ regexp_first('record_file', '/updated_date=([0-9]{4}-[0-9]{2}-[0-9]{2})/', 1) }}, ''),
            nullif({{ regexp_replace_all(
                regexp_first(
                    regexp_first('record_file', '[^/]*$'), '(^|[^0-9])(' ~ day ~ ')([^0-9]|$)', 2
                ), '[-_]', ''
            ) }}, '')
        ) as written_date
    from counted

)

select
    named.source_system,
    named.delivered_table,
    named.record_file,
    states.sha256,
    states.bytes,
    named.records,
    try_cast(
        substring(replace(named.written_date, '-', ''), 1, 4) || '-'
        || substring(replace(named.written_date, '-', ''), 5, 2) || '-'
        || substring(replace(named.written_date, '-', ''), 7, 2) as date
    ) as release_date,
    sources.licence,
    sources.licence_url,
    sources.may_publish_rows,
    sources.may_publish_derived,
    sources.attribution,
    sources.url
from named
left join states on named.record_file = states.record_file
left join {{ ref('sources') }} as sources on named.source_system = sources.source_system
