with

documents as (

    select * from {{ ref('int_documents_keyworded') }}

),

keywords as (

    select keyword
    from documents
    {{ unnest_list('documents.keywords', 'keyword', 'keyword_position') }}

    union

    select long_form as keyword from {{ ref('int_abbreviations_defined') }}

)

select
    keyword,
    {{ shard('keyword') }} as shard
from keywords
