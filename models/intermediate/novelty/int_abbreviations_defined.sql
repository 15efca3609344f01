{% set word = '[\\p{L}\\p{N}]+' %}
with

texts as (

    select
        families.document_id,
        families.family_key,
        families.year,
        documents.title || ' | ' || coalesce(documents.abstract, '') as text
    from {{ ref('int_document_families') }} as families
    inner join {{ ref('int_documents_unioned') }} as documents on families.document_id = documents.document_id

),

found as (

    select
        document_id,
        family_key,
        year,
        {{ regexp_all('text', '(' ~ word ~ '[ -]){2,9}[(][A-Z][A-Za-z]{1,6}[)]') }} as definitions
    from texts
    where position('(' in text) > 0

),

definitions as (

    select
        found.document_id,
        found.family_key,
        found.year,
        definition,
        definition_position
    from found
    {{ unnest_list('found.definitions', 'definition', 'definition_position') }}

),

parsed as (

    select
        document_id,
        family_key,
        year,
        definition_position,
        {{ regexp_first('definition', '[(]([A-Za-z]+)[)]$', 1) }} as bracketed,
        {{ regexp_all(lower_case(regexp_first('definition', '^[^(]+')), word) }} as words
    from definitions

),

-- Of CNNs the letters are c, n and n; of RMS they are all three.
lettered as (

    select
        document_id,
        family_key,
        year,
        definition_position,
        words,
        {{ list_length('words') }} as word_count,
        {{ lower_case('bracketed') }} as abbreviation,
        {{ lower_case(regexp_replace_all('bracketed', 's$', '')) }} as letters
    from parsed
    where {{ regexp_first('bracketed', '[A-Z].*[A-Z]') }} <> ''

),

words as (

    select
        lettered.document_id,
        lettered.family_key,
        lettered.year,
        lettered.definition_position,
        lettered.abbreviation,
        lettered.letters,
        word,
        word_position
    from lettered
    {{ unnest_list('lettered.words', 'word', 'word_position') }}
    where
        length(lettered.letters) between 2 and 6
        and word_position > lettered.word_count - length(lettered.letters)

),

spelled as (

    select
        document_id,
        family_key,
        year,
        definition_position,
        abbreviation,
        letters,
        {{ list_join(list_ordered('word', 'word_position'), ' ') }} as long_form
    from words
    group by document_id, family_key, year, definition_position, abbreviation, letters
    having {{ list_join(list_ordered('substring(word, 1, 1)', 'word_position'), '') }} = letters

),

-- A keyword may be written as either: lms is language models, and so is lm.
written as (

    select
        document_id,
        family_key,
        year,
        definition_position,
        long_form,
        abbreviation
    from spelled

    union

    select
        document_id,
        family_key,
        year,
        definition_position,
        long_form,
        letters as abbreviation
    from spelled

),

ranked as (

    select
        *,
        row_number() over (
            partition by document_id, abbreviation
            order by definition_position
        ) as place
    from written

)

select
    document_id,
    family_key,
    year,
    abbreviation,
    long_form
from ranked
where place = 1
