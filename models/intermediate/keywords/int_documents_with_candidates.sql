with

texts as (

    select * from {{ ref('int_document_texts') }}

),

documents as (

    select * from {{ ref('int_documents_unioned') }}

),

embeddings as (

    select * from {{ ref('int_documents_embedded') }}

),

candidates as (

    select
        document_id,
        array_sort(array_agg(phrase)) as candidates
    from {{ ref('int_document_candidates') }}
    group by document_id

)

select
    texts.document_id,
    texts.shard,
    documents.title,
    documents.delivered_keywords,
    candidates.candidates,
    embeddings.embedding,
    embeddings.model_version
from texts
inner join documents on texts.document_id = documents.document_id
inner join embeddings
    on texts.document_id = embeddings.document_id and texts.text_hash = embeddings.text_hash
left join candidates on texts.document_id = candidates.document_id
