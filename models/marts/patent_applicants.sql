with

patents as (

    select * from {{ ref('int_patents_deduplicated') }}

),

countries as (

    select
        document_id,
        applicant_position,
        array_sort(array_agg(country_code)) as country_codes,
        min(country_basis) as country_basis
    from {{ ref('int_applicant_countries') }}
    group by document_id, applicant_position

),

organisations as (

    select * from {{ ref('int_document_organisations') }}
    where institution_role = 'applicant'

),

applicants as (

    select
        patents.document_id,
        cast(applicant_position as integer) as applicant_position,
        applicant.applicant_name
    from patents
    {{ unnest_list('patents.applicants', 'applicant', 'applicant_position') }}
    where applicant.applicant_name is not null

)

select
    applicants.document_id,
    applicants.applicant_position,
    applicants.applicant_name,
    organisations.institution_key,
    countries.country_codes,
    countries.country_basis
from applicants
left join countries
    on
        applicants.document_id = countries.document_id
        and applicants.applicant_position = countries.applicant_position
left join organisations
    on
        applicants.document_id = organisations.document_id
        and applicants.applicant_position = organisations.member_position
