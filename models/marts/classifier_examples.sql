select
    document_id,
    document_type,
    layer,
    text_hash,
    title,
    abstract,
    language,
    year,
    source_name,
    categories,
    label_source,
    is_ai as label_is_ai,
    label_confidence,
    sampling_weight,
    split,
    stratum,
    title_key
from {{ ref('int_classifier_examples') }}
