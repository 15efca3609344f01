with

vectors as (

    select * from {{ ref('int_document_vectors') }}

),

documents as (

    select * from {{ ref('int_documents_unioned') }}

),

candidates as (

    select
        document_id,
        array_sort(array_agg(phrase)) as candidates
    from {{ ref('int_document_candidates') }}
    group by document_id

)

select
    vectors.document_id,
    vectors.shard,
    documents.title,
    documents.delivered_keywords,
    candidates.candidates,
    vectors.embedding,
    vectors.model_version
from vectors
inner join documents on vectors.document_id = documents.document_id
left join candidates on vectors.document_id = candidates.document_id
