-- Every document has its row among the languages, known or not, and no row is of a document that is not there.
select coalesce(documents.document_id, languages.document_id) as document_id
from {{ ref('int_documents_unioned') }} as documents
full outer join {{ ref('int_document_languages') }} as languages
    on documents.document_id = languages.document_id
where documents.document_id is null or languages.document_id is null
