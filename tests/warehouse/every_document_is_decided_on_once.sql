-- Every document has its row in the decision, and no decision is about a document that is not there.
select coalesce(documents.document_id, decisions.document_id) as document_id
from {{ ref('int_documents_unioned') }} as documents
full outer join {{ ref('int_documents_decided') }} as decisions
    on documents.document_id = decisions.document_id
where documents.document_id is null or decisions.document_id is null
