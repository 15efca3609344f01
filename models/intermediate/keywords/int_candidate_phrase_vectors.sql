select
    candidates.phrase,
    embeddings.embedding,
    embeddings.model_version
from {{ ref('int_candidate_phrases') }} as candidates
inner join {{ ref('int_phrases_embedded') }} as embeddings on candidates.phrase = embeddings.phrase
