with

delivered as (

    {{ delivered_records('tables', 'links') }}

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        {{ parse_json('record_text', {
            'paper_id': 'text', 'patent_id': 'text', 'paper_source': 'text', 'patent_source': 'text', 'kind': 'text',
        }) }} as link
    from delivered

),

renamed as (

    select
        record_file,
        record_row,
        record_text,
        link is not null as is_parsed,
        {{ clean_text('link.paper_id') }} as paper_record_id,
        {{ clean_text('link.paper_source') }} as paper_source_name,
        {{ clean_text('link.patent_id') }} as patent_record_id,
        {{ clean_text('link.patent_source') }} as patent_source_name,
        -- `all_same` is what linking_quality calls the kinds together.
        coalesce(
            nullif({{ regexp_replace_all(clean_text('lower(link.kind)'), '[ -]+', '_') }}, 'all_same'), 'link'
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
