with

vectors as (

    select * from {{ ref('int_vectors_compared') }}

),

texts as (

    select * from {{ ref('int_document_texts') }}

)

select
    vectors.embedding_text,
    vectors.document_id,
    vectors.document_type,
    texts.shard,
    vectors.year,
    texts.text,
    vectors.embedding
from vectors
inner join texts on vectors.document_id = texts.document_id
