with

families as (

    select * from {{ ref('int_document_families') }}
    where year is not null

),

documents as (

    select * from {{ ref('int_documents_keyworded') }}

),

normalised as (

    select * from {{ ref('int_keywords_normalised') }}
    where normalised_keyword <> ''

),

keywords as (

    select
        families.document_id,
        families.document_type,
        families.family_key,
        families.year,
        keyword,
        keyword_position
    from families
    inner join documents on families.document_id = documents.document_id
    {{ unnest_list('documents.keywords', 'keyword', 'keyword_position') }}

),

own_definitions as (

    select
        abbreviations.document_id,
        abbreviations.abbreviation,
        normalised.normalised_keyword as long_form
    from {{ ref('int_abbreviations_defined') }} as abbreviations
    inner join normalised on abbreviations.long_form = normalised.keyword

),

spelled_out as (

    select
        keywords.document_id,
        keywords.document_type,
        keywords.family_key,
        keywords.year,
        coalesce(own_definitions.long_form, known.long_form, normalised.normalised_keyword) as keyword,
        min(keywords.keyword_position) as keyword_position
    from keywords
    inner join normalised on keywords.keyword = normalised.keyword
    left join own_definitions
        on
            keywords.document_id = own_definitions.document_id
            and normalised.normalised_keyword = own_definitions.abbreviation
    left join {{ ref('int_abbreviations_known') }} as known
        on
            normalised.normalised_keyword = known.abbreviation
            and keywords.year >= known.from_year
            and (keywords.year < known.before_year or known.before_year is null)
    group by
        keywords.document_id,
        keywords.document_type,
        keywords.family_key,
        keywords.year,
        coalesce(own_definitions.long_form, known.long_form, normalised.normalised_keyword)

),

placed as (

    select
        *,
        row_number() over (
            partition by document_id
            order by keyword_position, keyword
        ) as place
    from spelled_out

),

family_sizes as (

    select
        document_type,
        family_key,
        count(distinct document_id) as documents
    from spelled_out
    group by document_type, family_key

),

weighted as (

    select
        placed.document_id,
        placed.document_type,
        placed.year,
        placed.keyword,
        cast(placed.place as integer) as keyword_position,
        1 / cast(family_sizes.documents as double) as weight
    from placed
    inner join family_sizes
        on placed.document_type = family_sizes.document_type and placed.family_key = family_sizes.family_key
    where placed.place <= {{ most_nodes() }}

),

counted as (

    select
        document_type,
        keyword,
        year,
        sum({{ exact('weight') }}) as documents
    from weighted
    group by document_type, keyword, year

),

cumulated as (

    select
        document_type,
        keyword,
        year,
        min(year) over (partition by document_type, keyword) as first_year,
        sum(documents) over (
            partition by document_type, keyword
            order by year
            rows between unbounded preceding and 1 preceding
        ) as earlier_documents
    from counted

)

select
    weighted.document_id,
    weighted.document_type,
    weighted.year,
    weighted.keyword,
    weighted.keyword_position,
    weighted.weight,
    cumulated.first_year,
    weighted.year - cumulated.first_year as keyword_age,
    {{ counted_documents('cumulated.earlier_documents') }} as earlier_documents,
    weighted.year > cumulated.first_year as is_known
from weighted
inner join cumulated
    on
        weighted.document_type = cumulated.document_type
        and weighted.keyword = cumulated.keyword
        and weighted.year = cumulated.year
