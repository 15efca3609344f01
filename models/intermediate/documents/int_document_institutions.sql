with

papers as (

    select * from {{ ref('int_papers_deduplicated') }}

),

countries as (

    select * from {{ ref('countries') }}

),

openalex_institutions as (

    select
        papers.document_id,
        institutions.author_position,
        institutions.institution_position,
        institutions.institution_name,
        institutions.institution_id,
        institutions.ror,
        institutions.country_code
    from papers
    inner join {{ ref('stg_openalex__institutions') }} as institutions
        on papers.record_file = institutions.record_file and papers.record_row = institutions.record_row

),

-- Delivered as a list beside the authors, not by author; the country is known only where the paper names one.
tables_institutions as (

    select
        papers.document_id,
        cast(null as bigint) as author_position,
        institution_position,
        institution_name,
        cast(null as varchar) as institution_id,
        cast(null as varchar) as ror,
        countries.country_code
    from papers
    inner join {{ ref('stg_tables__papers') }} as tables_papers
        on papers.record_file = tables_papers.record_file and papers.record_row = tables_papers.record_row
    left join countries on lower(papers.country) in (lower(countries.country_code), lower(countries.country_name))
    {{ unnest_list('tables_papers.institutions', 'institution_name', 'institution_position') }}

),

unioned as (

    select * from openalex_institutions

    union all

    select * from tables_institutions

)

select
    document_id,
    cast(author_position as integer) as author_position,
    cast(institution_position as integer) as institution_position,
    institution_name,
    institution_id,
    ror,
    country_code
from unioned
where institution_name is not null
