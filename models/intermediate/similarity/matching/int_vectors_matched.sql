-- depends_on: {{ ref('int_papers_matched_to_patents') }}
-- Written once the matches are, and read by the next build: what it finds unchanged need not be matched again.
with

digest as (

    {{ digest_of_vectors(ref('int_documents_compared')) }}

)

select
    compared.space,
    compared.document_id,
    compared.year,
    compared.text_hash,
    compared.model_version,
    digest.vectors_digest
from {{ ref('int_documents_compared') }} as compared
cross join digest
