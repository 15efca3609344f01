{# OpenAlex calls a university that funds research a funder, and what it cannot tell other: both count at last. #}
{% set is_told = "identified.institution_type in ('education', 'healthcare', 'company', 'archive', 'nonprofit', "
    ~ "'government', 'facility')" %}
{% set is_told_at_last = "identified.institution_type in ('funder', 'other')" %}
{% set is_person = "identified.institution_role = 'applicant' and "
    ~ is_name_of_person('identified.organisation_name') %}
with

patents as (

    select
        document_id,
        applicants,
        inventors
    from {{ ref('int_patents_deduplicated') }}

),

names as (

    select * from {{ ref('int_organisation_names') }}

),

inventors as (

    select distinct
        patents.document_id,
        {{ person_form('author.author_name') }} as person_form
    from patents
    {{ unnest_list('patents.inventors', 'author') }}

),

applicant_countries as (

    select
        document_id,
        applicant_position,
        {{ only_element('array_agg(country_code)') }} as country_code
    from {{ ref('int_applicant_countries') }}
    group by document_id, applicant_position

),

applicants as (

    select
        patents.document_id,
        cast(applicant_position as integer) as applicant_position,
        applicant.applicant_name
    from patents
    {{ unnest_list('patents.applicants', 'applicant', 'applicant_position') }}
    where applicant.applicant_name is not null

),

unioned as (

    select
        document_id,
        'author' as institution_role,
        author_position as member_position,
        institution_position,
        institution_name as organisation_name,
        institution_id,
        ror,
        institution_type,
        country_code,
        false as is_inventor
    from {{ ref('int_document_institutions') }}

    union all

    select
        applicants.document_id,
        'applicant' as institution_role,
        applicants.applicant_position as member_position,
        1 as institution_position,
        applicants.applicant_name as organisation_name,
        cast(null as string) as institution_id,
        cast(null as string) as ror,
        cast(null as string) as institution_type,
        applicant_countries.country_code,
        inventors.document_id is not null as is_inventor
    from applicants
    left join applicant_countries
        on
            applicants.document_id = applicant_countries.document_id
            and applicants.applicant_position = applicant_countries.applicant_position
    left join inventors
        on
            applicants.document_id = inventors.document_id
            and {{ person_form('applicants.applicant_name') }} = inventors.person_form

),

formed as (

    select
        unioned.*,
        names.organisation_form,
        names.sector as sector_of_name,
        names.sector_rule
    from unioned
    inner join names on unioned.organisation_name = names.organisation_name

),

-- An acronym that several organisations go by, anywhere, names none of them.
acronyms as (

    select names.organisation_form
    from {{ ref('int_registered_names') }} as registered
    inner join names on registered.organisation_name = names.organisation_name
    group by names.organisation_form
    having count(distinct registered.ror) > 1

),

registered as (

    select
        names.organisation_form,
        registered.country_code,
        max(registered.ror) as ror
    from {{ ref('int_registered_names') }} as registered
    inner join names on registered.organisation_name = names.organisation_name
    left join acronyms on names.organisation_form = acronyms.organisation_form
    where not registered.is_acronym or acronyms.organisation_form is null
    group by names.organisation_form, registered.country_code
    having count(distinct registered.ror) = 1

),

registered_sectors as (

    select
        ror,
        max(sector) as sector
    from {{ ref('int_registered_names') }}
    group by ror

),

-- The one ROR id that a source's own id was delivered with.
ror_of_ids as (

    select
        institution_id,
        max(ror) as ror
    from formed
    where institution_id is not null and ror is not null
    group by institution_id
    having count(distinct ror) = 1

),

identified as (

    select
        formed.*,
        coalesce(formed.ror, ror_of_ids.ror, registered.ror) as known_ror
    from formed
    left join ror_of_ids on formed.institution_id = ror_of_ids.institution_id
    left join registered
        on
            formed.organisation_form = registered.organisation_form
            and formed.country_code = registered.country_code
            and not formed.is_inventor
            and formed.institution_id is null

)

select
    identified.document_id,
    identified.institution_role,
    identified.member_position,
    identified.institution_position,
    coalesce(
        identified.known_ror,
        identified.institution_id,
        identified.organisation_form || coalesce(', ' || identified.country_code, '')
    ) as institution_key,
    identified.organisation_name,
    identified.organisation_form,
    identified.known_ror as ror,
    identified.country_code,
    identified.is_inventor,
    case
        when {{ is_told }} then identified.institution_type
        when registered_sectors.sector is not null then registered_sectors.sector
        when identified.is_inventor then 'individual'
        when identified.sector_of_name is not null then identified.sector_of_name
        when {{ is_person }} then 'individual'
        when {{ is_told_at_last }} then identified.institution_type
    end as sector,
    case
        when {{ is_told }} then 'delivered'
        when registered_sectors.sector is not null then 'registered'
        when identified.is_inventor then 'inventor'
        when identified.sector_of_name is not null then identified.sector_rule
        when {{ is_person }} then 'form of a name'
        when {{ is_told_at_last }} then 'delivered'
    end as sector_rule
from identified
left join registered_sectors on identified.known_ror = registered_sectors.ror
