-- Every document in scope has its row in document_novelty, with a score or with the reason why there is none.
select coalesce(keyworded.document_id, novelty.document_id) as document_id
from {{ ref('int_documents_keyworded') }} as keyworded
full outer join {{ ref('document_novelty') }} as novelty
    on keyworded.document_id = novelty.document_id
where
    keyworded.document_id is null
    or novelty.document_id is null
    or (novelty.novelty is null) <> (novelty.novelty_reason is not null)
    or (novelty.surprise is null) <> (novelty.novelty is null)
    or (novelty.novelty_percentile is null) <> (novelty.novelty is null)
    or (novelty.context_novelty is null) <> (novelty.context_reason is not null)
