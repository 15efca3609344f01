select
    document_id,
    document_type,
    judge,
    is_ai as label_is_ai,
    is_accepted,
    probability,
    threshold,
    model_version,
    source_name,
    label_source,
    sampling_weight,
    stratum,
    language,
    year_band
from {{ ref('int_documents_judged') }}
