select
    source_system,
    source_name,
    document_type,
    kind,
    field,
    value,
    records
from {{ ref('int_values_not_understood') }}
