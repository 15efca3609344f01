select
    document_id,
    document_type,
    shard,
    text_hash,
    outer_model_version as model_version,
    title,
    abstract
from {{ ref('int_documents_assessed') }}
where refusal is null
