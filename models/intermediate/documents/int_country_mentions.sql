with

papers as (

    select
        source_system,
        source_name,
        country,
        {{ list_flatten(list_map('authors', 'author', 'author.country_codes')) }} as of_authors,
        {{ list_map('institutions', 'institution', 'institution.country_code') }} as of_institutions
    from {{ ref('int_papers_unioned') }}
    where rejection_reason is null

),

patents as (

    select
        source_system,
        source_name,
        {{ list_flatten(list_map('inventors', 'inventor', 'inventor.country_codes')) }} as of_inventors,
        {{ list_map('applicants', 'applicant', 'applicant.country_code') }} as of_applicants
    from {{ ref('int_patents_unioned') }}
    where rejection_reason is null

),

-- A list with itself in common is a list of what it holds, each once: so records are counted.
unioned as (

    select
        source_system,
        source_name,
        'country' as field,
        country as delivered_text
    from papers

    {% for relation, field in [
        ('papers', 'authors'), ('papers', 'institutions'), ('patents', 'inventors'), ('patents', 'applicants')
    ] %}
    union all

    select
        source_system,
        source_name,
        'country of {{ field }}' as field,
        {{ each_of_list(list_intersection('of_' ~ field, 'of_' ~ field)) }} as delivered_text
    from {{ relation }}
    where of_{{ field }} is not null

    {% endfor %}
)

select
    source_system,
    source_name,
    field,
    delivered_text,
    count(*) as records
from unioned
where delivered_text is not null
group by source_system, source_name, field, delivered_text
