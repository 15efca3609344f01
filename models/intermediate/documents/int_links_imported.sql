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

-- A link may write a name in any form that a source may.
names_in_links as (

    {{ forms_of_name('sides', 'record_id') }}

),

named as (

    select distinct
        names_in_links.document_type,
        names_in_links.record_file,
        names_in_links.record_row,
        names.document_id
    from names_in_links
    inner join {{ ref('int_document_names') }} as names
        on
            names_in_links.document_type = names.document_type
            and names_in_links.document_name = names.document_name
            and (names_in_links.source_name is null or names_in_links.source_name = names.source_name)

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
