with

compared as (

    select distinct
        document_id,
        document_type
    from {{ ref('int_documents_compared') }}
    where {{ var('pair_ranking') == 'fused' }}

),

texts as (

    select
        document_id,
        {{ lower_case('text') }} as text
    from {{ ref('int_document_texts') }}

),

tokenised as (

    select
        compared.document_id,
        compared.document_type,
        {{ list_sorted(regexp_all('texts.text', '[\\p{L}\\p{N}]{2,}')) }} as tokens
    from compared
    inner join texts on compared.document_id = texts.document_id

)

select
    document_id,
    document_type,
    {{ list_length('tokens') }} as word_count,
    {{ list_numbered('tokens') }} as words
from tokenised
