select
    texts.document_id,
    texts.shard,
    texts.text_hash,
    embeddings.embedding,
    embeddings.model_version
from {{ ref('int_document_texts') }} as texts
inner join {{ ref('int_documents_embedded') }} as embeddings
    on texts.document_id = embeddings.document_id and texts.text_hash = embeddings.text_hash
inner join {{ ref('int_encoders_loaded') }} as encoders on embeddings.model_version = encoders.model_version
