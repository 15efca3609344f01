{#- Chinese and Japanese terms of two words have no blank, and mostly four letters. -#}
{% set is_term = "(position(' ' in phrase) > 0 or length(phrase) > 3 and "
    ~ regexp_first('phrase', '^[' ~ letters_without_blanks() ~ ']+$') ~ " <> '')" -%}

with

document_phrases as (

    select * from {{ ref('int_document_phrases') }}

),

frequent_phrases as (

    select phrase
    from document_phrases
    group by phrase
    having count(*) >= {{ var('minimum_document_frequency') }}

),

marked as (

    select
        document_phrases.document_id,
        document_phrases.shard,
        document_phrases.phrase,
        document_phrases.is_in_title,
        frequent_phrases.phrase is not null as is_frequent
    from document_phrases
    left join frequent_phrases on document_phrases.phrase = frequent_phrases.phrase

),

counted as (

    select
        *,
        sum(case when is_frequent and {{ is_term }} then 1 else 0 end) over (partition by document_id)
            as frequent_terms
    from marked

)

-- A document that holds few of the corpus's common terms of two or three words still has a title.
select
    document_id,
    shard,
    phrase
from counted
where is_frequent or (is_in_title and frequent_terms < {{ var('keyword_count') }})
