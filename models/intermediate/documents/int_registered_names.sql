with

organisations as (

    select
        ror,
        max(organisation_names) as organisation_names,
        max(country_codes) as country_codes,
        max(organisation_types) as organisation_types
    from {{ ref('stg_ror__organisations') }}
    where rejection_reason is null and coalesce(status, 'active') = 'active'
    group by ror

),

names as (

    select
        ror,
        {{ each_of_list('organisation_names') }} as name,
        country_codes,
        organisation_types
    from organisations

),

-- Most organisations have one type; `funder` stands beside what an organisation is.
typed as (

    select
        ror,
        name.organisation_name,
        name.name_types = 'acronym' as is_acronym,
        country_codes,
        coalesce(
            {{ list_at(list_where('organisation_types', 'type', "type <> 'funder'"), 1) }},
            {{ list_at('organisation_types', 1) }}
        ) as sector
    from names

)

select
    ror,
    organisation_name,
    {{ each_of_list('country_codes') }} as country_code,
    min(cast(is_acronym as integer)) = 1 as is_acronym,
    lower(max(sector)) as sector
from typed
group by ror, organisation_name, country_codes
