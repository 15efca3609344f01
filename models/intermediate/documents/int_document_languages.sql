select
    document_id,
    language,
    'delivered' as language_source
from {{ ref('int_document_languages_delivered') }}

union all

select
    document_id,
    language,
    language_source
from {{ ref('int_document_languages_detected') }}
