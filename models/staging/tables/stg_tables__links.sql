with

delivered as (

    {{ delivered_records('tables', 'links') }}

),

with_fields as (

    select
        *,
        {{ table_fields('record_text', 'links') }} as fields
    from delivered

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        {{ table_record('fields', 'links') }} as link
    from with_fields

),

renamed as (

    select
        record_file,
        record_row,
        record_text,
        link is not null as is_parsed,
        {{ table_id(clean_value('link.paper_id')) }} as paper_record_id,
        {{ clean_value('link.paper_source') }} as paper_source_name,
        {{ table_id(clean_value('link.patent_id')) }} as patent_record_id,
        {{ clean_value('link.patent_source') }} as patent_source_name,
        -- `all_same` is what linking_quality calls the kinds together.
        coalesce(
            nullif({{ regexp_replace_all(clean_value('lower(link.kind)'), '[ -]+', '_') }}, 'all_same'), 'link'
        ) as kind
    from parsed

),

judged as (

    select
        *,
        case
            when not is_parsed then 'malformed_record'
            when paper_record_id is null or patent_record_id is null then 'missing_identifier'
        end as rejection_reason
    from renamed

)

select
    record_file,
    record_row,
    paper_record_id,
    paper_source_name,
    patent_record_id,
    patent_source_name,
    kind,
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from judged
