with

last_build as (

    {{ as_of_last_build('int_vectors_matched', {
        'embedding_text': 'string',
        'document_id': 'string',
        'year': 'bigint',
        'text_hash': 'string',
        'model_version': 'string',
        'vectors_digest': 'string',
    }) }}

)

select
    compared.embedding_text,
    compared.document_id,
    last_build.vectors_digest
from {{ ref('int_vectors_compared') }} as compared
inner join last_build
    on
        compared.embedding_text = last_build.embedding_text
        and compared.document_id = last_build.document_id
        and compared.year = last_build.year
        and compared.text_hash = last_build.text_hash
        and compared.model_version = last_build.model_version
