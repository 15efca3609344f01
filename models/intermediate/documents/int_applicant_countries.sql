with

patents as (

    select
        document_id,
        inventors,
        applicants
    from {{ ref('int_patents_deduplicated') }}

),

texts as (

    select
        delivered_text,
        country_codes
    from {{ ref('int_country_texts') }}
    where country_codes is not null

),

applicants as (

    select
        patents.document_id,
        cast(applicant_position as integer) as applicant_position,
        applicant.applicant_name,
        applicant.country_code as country_text
    from patents
    {{ unnest_list('patents.applicants', 'applicant', 'applicant_position') }}

),

inventors as (

    select
        patents.document_id,
        cast(author_position as integer) as author_position,
        {{ person_form('author.author_name') }} as person_form
    from patents
    {{ unnest_list('patents.inventors', 'author', 'author_position') }}

),

unioned as (

    select
        applicants.document_id,
        applicants.applicant_position,
        {{ each_of_list('texts.country_codes') }} as country_code,
        1 as source_rank
    from applicants
    inner join texts on applicants.country_text = texts.delivered_text

    union all

    -- An applicant who is an inventor, too.
    select
        applicants.document_id,
        applicants.applicant_position,
        countries.country_code,
        2 as source_rank
    from applicants
    inner join inventors
        on
            applicants.document_id = inventors.document_id
            and {{ person_form('applicants.applicant_name') }} = inventors.person_form
    inner join {{ ref('int_author_countries') }} as countries
        on inventors.document_id = countries.document_id and inventors.author_position = countries.author_position

),

ranked as (

    select
        *,
        min(source_rank) over (partition by document_id, applicant_position) as best_rank
    from unioned

)

select distinct
    document_id,
    applicant_position,
    country_code,
    case source_rank
        when 1 then 'delivered'
        when 2 then 'inventor'
    end as country_basis
from ranked
where source_rank = best_rank
