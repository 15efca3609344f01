-- A document is assessed exactly when a label or a rule decided on it, and a match is always named.
select document_id
from {{ ref('int_documents_decided') }}
where
    (is_ai is null) <> (decided_by is null)
    or (is_ai and decision_source is null)
