with

documents as (

    select * from {{ ref('int_documents_unioned') }}

),

decisions as (

    select * from {{ ref('int_documents_decided') }}

),

-- Vectors of documents that were in scope once still hold, as long as text and encoder are the same. They become lists
-- before the join: DuckDB 2.0 fails on arrays of fixed size where a left join finds none.
vectors as (

    select
        embedded.document_id,
        embedded.text_hash,
        cast(embedded.embedding as {{ list_type('float') }}) as embedding,
        embedded.model_version
    from {{ ref('int_documents_embedded') }} as embedded
    inner join {{ ref('int_encoders_loaded') }} as encoders on embedded.model_version = encoders.model_version

)

select
    documents.document_id,
    documents.document_type,
    documents.doi,
    documents.publication_number,
    documents.year,
    documents.title,
    documents.abstract,
    decisions.is_ai,
    vectors.embedding,
    vectors.model_version
from documents
inner join decisions on documents.document_id = decisions.document_id
left join vectors on documents.document_id = vectors.document_id and documents.text_hash = vectors.text_hash
