select
    documents.document_id,
    documents.shard,
    document_languages.language,
    documents.title,
    documents.abstract
from {{ ref('int_documents_unioned') }} as documents
inner join {{ ref('int_document_texts') }} as texts on documents.document_id = texts.document_id
inner join {{ ref('int_document_languages') }} as document_languages
    on documents.document_id = document_languages.document_id
where document_languages.language in ('zh', 'ja') and '{{ var("languages") }}' = 'all'
