{# An empty list of text, in words that both engines know. #}
{% set no_text = list_where("split('', ' ')", "element", "element <> ''") %}

with

documents as (

    select
        document_id,
        document_type,
        match_text
    from {{ ref('int_documents_unioned') }}

),

document_codes as (

    select
        document_id,
        scheme,
        code
    from {{ ref('int_document_codes') }}

),

definitions as (

    select definition from {{ ref('definitions') }}

),

definition_codes as (

    select
        definition,
        scheme,
        -- A main group ends at the slash, so that G06F 40 takes in 40/20 and leaves 403/00 alone.
        code_prefix
        || case when code_prefix like '% %' and code_prefix not like '%/%' then '/' else '' end as code_prefix
    from {{ ref('definition_codes') }}

),

definition_keywords as (

    select
        definition,
        keyword,
        split_part(keyword, ' ', 1) as first_word,
        ' ' || keyword || case when match_kind = 'word' then ' ' else '' end as searched_text
    from {{ ref('definition_keywords') }}
    where is_used

),

-- There are at most some hundred thousand different codes, however many documents: compare them, not the documents.
distinct_codes as (

    select distinct
        scheme,
        code
    from document_codes

),

codes_of_definitions as (

    select distinct
        definition_codes.definition,
        distinct_codes.scheme,
        distinct_codes.code
    from distinct_codes
    inner join definition_codes
        on
            substring(distinct_codes.code, 1, 4) = substring(definition_codes.code_prefix, 1, 4)
            and distinct_codes.code like definition_codes.code_prefix || '%'
            and definition_codes.scheme in ('any', distinct_codes.scheme)

),

matched_codes as (

    select
        document_codes.document_id,
        codes_of_definitions.definition,
        document_codes.code as matched_code,
        cast(null as string) as matched_keyword
    from document_codes
    inner join codes_of_definitions
        on
            document_codes.scheme = codes_of_definitions.scheme
            and document_codes.code = codes_of_definitions.code

),

-- As a column, not by a join, which would carry the whole text with each of its words.
words_of_documents as (

    select
        document_id,
        {{ each_of_list("split(match_text, ' ')") }} as word
    from documents

),

-- The cheap filter: a text can hold a keyword only if it holds the keyword's first word.
candidate_keywords as (

    select distinct
        words_of_documents.document_id,
        definition_keywords.definition,
        definition_keywords.keyword,
        definition_keywords.searched_text
    from words_of_documents
    inner join definition_keywords
        on words_of_documents.word = definition_keywords.first_word

),

matched_keywords as (

    select
        candidate_keywords.document_id,
        candidate_keywords.definition,
        cast(null as string) as matched_code,
        candidate_keywords.keyword as matched_keyword
    from candidate_keywords
    inner join documents
        on candidate_keywords.document_id = documents.document_id
    where contains(documents.match_text, candidate_keywords.searched_text)

),

matches as (

    select * from matched_codes

    union all

    select * from matched_keywords

),

matches_of_documents as (

    select
        document_id,
        definition,
        array_sort(array_agg(distinct matched_code) filter (where matched_code is not null)) as matched_codes,
        array_sort(array_agg(distinct matched_keyword) filter (where matched_keyword is not null)) as matched_keywords
    from matches
    group by document_id, definition

)

select
    documents.document_id,
    documents.document_type,
    definitions.definition,
    matches_of_documents.document_id is not null as is_match,
    coalesce(matches_of_documents.matched_codes, {{ no_text }}) as matched_codes,
    coalesce(matches_of_documents.matched_keywords, {{ no_text }}) as matched_keywords
from documents
cross join definitions
left join matches_of_documents
    on
        documents.document_id = matches_of_documents.document_id
        and definitions.definition = matches_of_documents.definition
