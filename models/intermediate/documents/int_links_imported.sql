with

links as (

    select * from {{ ref('stg_tables__links') }}

),

sides as (

    select
        'paper' as document_type,
        record_file,
        record_row,
        paper_record_id as record_id,
        paper_source_name as source_name
    from links
    where rejection_reason is null

    union all

    select
        'patent' as document_type,
        record_file,
        record_row,
        patent_record_id as record_id,
        patent_source_name as source_name
    from links
    where rejection_reason is null

),

named as (

    {{ documents_named('sides', 'record_id') }}

)

select
    links.record_file,
    links.record_row,
    links.paper_record_id,
    links.patent_record_id,
    papers.document_id as paper_id,
    patents.document_id as patent_id,
    links.kind,
    links.rejection_reason,
    links.raw_record
from links
left join named as papers
    on
        links.record_file = papers.record_file
        and links.record_row = papers.record_row
        and papers.document_type = 'paper'
left join named as patents
    on
        links.record_file = patents.record_file
        and links.record_row = patents.record_row
        and patents.document_type = 'patent'
