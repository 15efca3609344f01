with

compared as (

    select * from {{ ref('int_documents_compared') }}

),

vectors as (

    {{ compared_vectors(ref('int_documents_embedded'), ref('int_keyword_texts_embedded')) }}

),

texts as (

    select * from {{ ref('int_document_texts') }}

)

select
    compared.space,
    compared.document_id,
    compared.document_type,
    compared.shard,
    compared.year,
    texts.text,
    vectors.embedding
from compared
inner join vectors
    on
        compared.space = vectors.space
        and compared.document_id = vectors.document_id
        and compared.text_hash = vectors.text_hash
        and compared.model_version = vectors.model_version
inner join texts on compared.document_id = texts.document_id
