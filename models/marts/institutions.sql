with

mentions as (

    select * from {{ ref('int_document_organisations') }}

),

-- The most frequent of what an institution is called, and of what is said of it.
{% for column in ['organisation_name', 'country_code', 'ror'] %}
by_{{ column }} as (

    select
        institution_key,
        {{ column }},
        row_number() over (partition by institution_key order by count(*) desc, {{ column }} asc) as frequency_rank
    from mentions
    where {{ column }} is not null
    group by institution_key, {{ column }}

),

{% endfor %}
-- What a register or a source says of an institution's sector comes before what its name tells.
by_sector as (

    select
        institution_key,
        sector,
        sector_rule,
        row_number() over (
            partition by institution_key
            order by
                case sector_rule when 'delivered' then 1 when 'registered' then 2 when 'inventor' then 4 else 3 end asc,
                count(*) desc,
                sector asc,
                sector_rule asc
        ) as sector_rank
    from mentions
    where sector is not null
    group by institution_key, sector, sector_rule

),

counted as (

    select
        institution_key,
        count(distinct document_id) as documents
    from mentions
    group by institution_key

)

select
    counted.institution_key,
    by_organisation_name.organisation_name as institution_name,
    by_country_code.country_code,
    by_ror.ror,
    by_sector.sector,
    by_sector.sector_rule,
    counted.documents
from counted
inner join by_organisation_name
    on counted.institution_key = by_organisation_name.institution_key and by_organisation_name.frequency_rank = 1
left join by_country_code
    on counted.institution_key = by_country_code.institution_key and by_country_code.frequency_rank = 1
left join by_ror on counted.institution_key = by_ror.institution_key and by_ror.frequency_rank = 1
left join by_sector on counted.institution_key = by_sector.institution_key and by_sector.sector_rank = 1
