select
    document_id,
    document_type,
    definition,
    is_match,
    matched_codes,
    matched_keywords
from {{ ref('int_documents_matched_to_definitions') }}
