with

documents as (

    select * from {{ ref('int_documents_unioned') }}

),

decisions as (

    select * from {{ ref('int_documents_decided') }}

)

select
    documents.document_id,
    documents.shard,
    documents.text_hash,
    documents.title || coalesce('. ' || documents.abstract, '') as text
from documents
inner join decisions on documents.document_id = decisions.document_id
{% if var('embedded_documents') == 'ai' -%}
where decisions.is_ai
{% endif %}
