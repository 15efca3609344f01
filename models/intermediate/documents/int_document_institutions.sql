with

papers as (

    select
        document_id,
        country,
        institutions
    from {{ ref('int_papers_deduplicated') }}

),

texts as (

    select * from {{ ref('int_country_texts') }}

),

places as (

    select * from {{ ref('int_affiliation_places') }}

),

exploded as (

    select
        papers.document_id,
        papers.country as country_of_paper,
        institution.author_position,
        delivered_position,
        institution.institution_name,
        institution.institution_id,
        {{ ror_id('institution.ror') }} as ror,
        institution.country_code as delivered_country,
        institution.institution_type,
        institution.lineage,
        {{ affiliation_places('institution.institution_name') }} as places_in_name
    from papers
    {{ unnest_list('papers.institutions', 'institution', 'delivered_position') }}
    where institution.institution_name is not null

)

select
    exploded.document_id,
    exploded.author_position,
    cast(row_number() over (
        partition by exploded.document_id, exploded.author_position
        order by exploded.delivered_position
    ) as integer) as institution_position,
    exploded.institution_name,
    exploded.institution_id,
    exploded.ror,
    lower(exploded.institution_type) as institution_type,
    exploded.lineage,
    -- Several countries of a paper tell nothing of where one institution is.
    coalesce(
        {{ only_element('own.country_codes') }},
        places.country_code,
        case when exploded.author_position is null then {{ only_element('of_paper.country_codes') }} end
    ) as country_code
from exploded
left join texts as own on exploded.delivered_country = own.delivered_text
left join places
    on
        {{ list_length('exploded.places_in_name') }} = 1
        and {{ list_at('exploded.places_in_name', 1) }} = places.place
        and {{ regexp_first('exploded.institution_name', '[,，(]') }} <> ''
left join texts as of_paper on exploded.country_of_paper = of_paper.delivered_text
