select
    document_id,
    label_source,
    is_ai as label_is_ai,
    cast(label_priority as integer) as label_priority
from {{ ref('int_documents_labelled') }}
