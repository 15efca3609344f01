select
    candidates.phrase,
    candidates.shard,
    embeddings.embedding,
    embeddings.model_version
from {{ ref('int_candidate_phrases') }} as candidates
inner join {{ ref('int_phrases_embedded') }} as embeddings on candidates.phrase = embeddings.phrase
inner join {{ ref('int_encoders_loaded') }} as encoders on embeddings.model_version = encoders.model_version
