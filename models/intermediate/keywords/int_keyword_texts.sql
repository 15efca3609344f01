with

keywords as (

    select * from {{ ref('int_documents_keyworded') }}

),

texts as (

    select
        document_id,
        shard,
        {{ list_join('keywords', ' ') }} as text
    from keywords

)

select
    document_id,
    shard,
    md5(text) as text_hash,
    text
from texts
where {{ 'keywords' in [var('compared_space'), var('published_space')] }}
