with

vectors as (

    select * from {{ ref('int_vectors_compared') }}

),

documents as (

    select * from {{ ref('int_documents_unioned') }}

)

select
    vectors.embedding_text,
    vectors.document_id,
    vectors.document_type,
    documents.shard,
    vectors.year,
    documents.title || coalesce('. ' || documents.abstract, '') as text,
    vectors.embedding
from vectors
inner join documents on vectors.document_id = documents.document_id
