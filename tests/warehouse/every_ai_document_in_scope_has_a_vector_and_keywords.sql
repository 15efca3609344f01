-- No document gets lost on its way through the Python steps.
with

texts as (

    select * from {{ ref('int_document_texts') }}

),

embeddings as (

    select * from {{ ref('int_document_vectors') }}

),

keywords as (

    select * from {{ ref('int_documents_keyworded') }}

)

select texts.document_id
from texts
left join embeddings on texts.document_id = embeddings.document_id
left join keywords on texts.document_id = keywords.document_id
where embeddings.document_id is null or keywords.document_id is null
