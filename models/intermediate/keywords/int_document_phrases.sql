with

documents as (

    select
        documents.document_id,
        documents.shard,
        coalesce(segmented.title, documents.title) as title,
        coalesce(segmented.abstract, documents.abstract) as abstract
    from {{ ref('int_documents_unioned') }} as documents
    inner join {{ ref('int_document_texts') }} as texts on documents.document_id = texts.document_id
    left join {{ ref('int_texts_segmented') }} as segmented on documents.document_id = segmented.document_id
    where {{ list_length(list_where('documents.delivered_keywords', 'keyword', trimmed('keyword') ~ " <> ''")) }} = 0

),

stop_words as (

    select distinct stop_word from {{ ref('stop_words') }}

),

stop_phrases as (

    select distinct stop_phrase from {{ ref('stop_phrases') }}

),

{% set token_pattern = '[\\p{L}\\p{N}]([\\p{L}\\p{N}+#-]*[\\p{L}\\p{N}+#])?|[^ ]' %}
texts as (

    select
        document_id,
        shard,
        true as is_in_title,
        {{ regexp_all(lower_case('title'), token_pattern) }} as tokens
    from documents

    union all

    select
        document_id,
        shard,
        false as is_in_title,
        {{ regexp_all(lower_case('abstract'), token_pattern) }} as tokens
    from documents
    where abstract is not null

),

tokens as (

    select
        texts.document_id,
        texts.shard,
        texts.is_in_title,
        token,
        token_position
    from texts
    {{ unnest_list('texts.tokens', 'token', 'token_position') }}

),

-- A phrase runs over no stop word, no punctuation and no bare number.
words as (

    select
        tokens.document_id,
        tokens.shard,
        tokens.is_in_title,
        tokens.token_position,
        case
            when stop_words.stop_word is null and {{ regexp_first('tokens.token', '\\p{L}') }} <> '' then tokens.token
        end as word
    from tokens
    left join stop_words on tokens.token = stop_words.stop_word

),

runs as (

    select
        document_id,
        shard,
        is_in_title,
        word,
        lead(word, 1) over (partition by document_id, is_in_title order by token_position) as second_word,
        lead(word, 2) over (partition by document_id, is_in_title order by token_position) as third_word
    from words

),

phrases as (

    select
        document_id,
        shard,
        is_in_title,
        word as phrase
    from runs
    -- Two letters of Chinese or Japanese are a word, of Latin an abbreviation.
    where
        length(word) >= 3
        or (length(word) = 2 and {{ regexp_first('word', '[' ~ letters_without_blanks() ~ ']') }} <> '')

    union all

    select
        document_id,
        shard,
        is_in_title,
        {{ joined_words('word', 'second_word') }} as phrase
    from runs
    where word is not null and second_word is not null

    union all

    select
        document_id,
        shard,
        is_in_title,
        {{ joined_words(joined_words('word', 'second_word'), 'third_word') }} as phrase
    from runs
    where word is not null and second_word is not null and third_word is not null

)

select
    phrases.document_id,
    phrases.shard,
    phrases.phrase,
    bool_or(phrases.is_in_title) as is_in_title
from phrases
left join stop_phrases on phrases.phrase = stop_phrases.stop_phrase
where stop_phrases.stop_phrase is null and length(phrases.phrase) <= 60
group by phrases.document_id, phrases.shard, phrases.phrase
