select
    documents.document_id,
    documents.shard,
    documents.title,
    documents.abstract
from {{ ref('int_documents_unioned') }} as documents
left join {{ ref('int_document_languages_delivered') }} as languages
    on documents.document_id = languages.document_id
where languages.document_id is null
