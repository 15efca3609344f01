with

papers as (

    select * from {{ ref('int_papers_deduplicated') }}

),

countries as (

    select * from {{ ref('countries') }}

),

institutions as (

    select
        papers.document_id,
        institution.author_position,
        cast(row_number() over (
            partition by papers.document_id, institution.author_position
            order by delivered_position
        ) as integer) as institution_position,
        institution.institution_name,
        institution.institution_id,
        institution.ror,
        -- An institution that is delivered beside the authors may take the country that the paper names.
        coalesce(
            institution.country_code, case when institution.author_position is null then countries.country_code end
        ) as country_code
    from papers
    left join countries
        on
            {{ lower_case('papers.country') }}
            in ({{ lower_case('countries.country_code') }}, {{ lower_case('countries.country_name') }})
    {{ unnest_list('papers.institutions', 'institution', 'delivered_position') }}

)

select * from institutions
where institution_name is not null
