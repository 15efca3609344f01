with

links as (

    select * from {{ ref('stg_tables__links') }}
    where rejection_reason is null

),

records as (

    select * from {{ ref('int_document_records') }}

),

-- A link may name a record as its source does, or the document as we do.
names_of_documents as (

    select
        document_type,
        source_record_id as document_name,
        source_name,
        document_id
    from records

    union

    select
        document_type,
        document_id as document_name,
        source_name,
        document_id
    from records

),

sides as (

    select
        'paper' as document_type,
        record_file,
        record_row,
        paper_record_id as record_id,
        paper_source_name as source_name
    from links

    union all

    select
        'patent' as document_type,
        record_file,
        record_row,
        patent_record_id as record_id,
        patent_source_name as source_name
    from links

),

-- And it may write the name in any form that a source may.
names_in_links as (

    select
        *,
        record_id as document_name
    from sides

    union

    select
        *,
        {{ regexp_first('record_id', 'W[0-9]+$') }} as document_name
    from sides
    where document_type = 'paper'

    union

    select
        *,
        {{ clean_publication_number('record_id') }} as document_name
    from sides
    where document_type = 'patent'

),

named as (

    select distinct
        names_in_links.document_type,
        names_in_links.record_file,
        names_in_links.record_row,
        names_of_documents.document_id
    from names_in_links
    inner join names_of_documents
        on
            names_in_links.document_type = names_of_documents.document_type
            and names_in_links.document_name = names_of_documents.document_name
            and (
                names_in_links.source_name is null
                or names_in_links.source_name = names_of_documents.source_name
            )

)

select
    links.record_file,
    links.record_row,
    links.paper_record_id,
    links.patent_record_id,
    papers.document_id as paper_id,
    patents.document_id as patent_id,
    links.kind
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
