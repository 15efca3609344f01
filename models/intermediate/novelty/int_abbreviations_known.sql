with

definitions as (

    select
        abbreviations.abbreviation,
        abbreviations.year,
        abbreviations.family_key,
        normalised.normalised_keyword as long_form
    from {{ ref('int_abbreviations_defined') }} as abbreviations
    inner join {{ ref('int_keywords_normalised') }} as normalised on abbreviations.long_form = normalised.keyword
    where abbreviations.year is not null and normalised.normalised_keyword <> ''

),

-- A family of patents is one document here, however often it is published.
counted as (

    select
        abbreviation,
        long_form,
        year,
        count(distinct family_key) as documents
    from definitions
    group by abbreviation, long_form, year

),

defined_years as (

    select distinct
        abbreviation,
        year
    from counted

),

-- What is known of an abbreviation changes with the year after one that defines it.
changes as (

    select
        abbreviation,
        year + 1 as from_year,
        lead(year + 1) over (
            partition by abbreviation
            order by year
        ) as before_year
    from defined_years

),

known as (

    select
        changes.abbreviation,
        changes.from_year,
        changes.before_year,
        counted.long_form,
        sum(counted.documents) as documents
    from changes
    inner join counted on changes.abbreviation = counted.abbreviation and changes.from_year > counted.year
    group by changes.abbreviation, changes.from_year, changes.before_year, counted.long_form

),

shared as (

    select
        *,
        sum(documents) over (partition by abbreviation, from_year) as all_documents
    from known

)

select
    abbreviation,
    from_year,
    before_year,
    long_form,
    cast(documents as integer) as documents,
    cast(all_documents as integer) as all_documents
from shared
where documents >= 2 and 10 * documents >= 8 * all_documents
