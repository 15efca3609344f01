-- depends_on: {{ ref('int_papers_matched_to_patents') }}
-- Written once the matches are, and read by the next build: what it finds unchanged need not be matched again.
select
    embedding_text,
    document_id,
    document_type,
    year,
    text_hash,
    model_version
from {{ ref('int_vectors_compared') }}
