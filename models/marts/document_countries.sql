with

papers as (

    select * from {{ ref('int_papers_deduplicated') }}

),

institutions as (

    select * from {{ ref('document_institutions') }}

),

countries as (

    select * from {{ ref('countries') }}

),

delivered_countries as (

    select
        papers.document_id,
        {{ lower_case(trimmed('delivered_country')) }} as delivered_country
    from papers
    {{ unnest_list("split(papers.country, ';')", 'delivered_country') }}

),

unioned as (

    select
        document_id,
        country_code
    from institutions
    where country_code is not null

    union all

    select
        document_id,
        country_code
    from {{ ref('patent_applicants') }}
    where country_code is not null

    union all

    select
        delivered_countries.document_id,
        countries.country_code
    from delivered_countries
    inner join countries
        on
            delivered_countries.delivered_country
            in ({{ lower_case('countries.country_code') }}, {{ lower_case('countries.country_name') }})

)

select distinct
    document_id,
    country_code
from unioned
