with

labels as (

    select * from {{ ref('stg_tables__labels') }}
    where rejection_reason is null

),

records as (

    select * from {{ ref('int_document_records') }}

),

-- A label may name the record as its source does, or the document as we do.
names_of_documents as (

    select
        source_record_id as document_name,
        source_name,
        document_id
    from records

    union

    select
        document_id as document_name,
        source_name,
        document_id
    from records

),

-- And it may write the name in any form that a source may.
names_in_labels as (

    select
        record_file,
        record_row,
        source_record_id as document_name
    from labels

    union

    select
        record_file,
        record_row,
        {{ regexp_first('source_record_id', 'W[0-9]+$') }} as document_name
    from labels

    union

    select
        record_file,
        record_row,
        {{ clean_publication_number('source_record_id') }} as document_name
    from labels

),

named as (

    select distinct
        names_in_labels.record_file,
        names_in_labels.record_row,
        names_of_documents.source_name,
        names_of_documents.document_id
    from names_in_labels
    inner join names_of_documents on names_in_labels.document_name = names_of_documents.document_name

)

select distinct
    labels.record_file,
    labels.record_row,
    labels.source_record_id,
    named.document_id,
    labels.label_source,
    labels.is_ai
from labels
left join named
    on
        labels.record_file = named.record_file
        and labels.record_row = named.record_row
        and (labels.source_name is null or labels.source_name = named.source_name)
