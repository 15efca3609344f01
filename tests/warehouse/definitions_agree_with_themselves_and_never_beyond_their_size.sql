-- What two definitions share is at most the smaller of them, and all of it where they are one and the same.
select
    document_type,
    year,
    definition_a,
    definition_b
from {{ ref('ai_definition_agreement') }}
where
    documents_both > least(documents_a, documents_b)
    or documents_either > documents
    or (definition_a = definition_b and documents_both <> documents_a)
