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
        author_position,
        institution_position,
        {{ clean_text('institution.display_name') }} as institution_name,
        nullif({{ regexp_first('institution.id', 'I[0-9]+$') }}, '') as institution_id,
        nullif({{ regexp_first('institution.ror', '[^/]+$') }}, '') as ror,
        upper({{ clean_text('institution.country_code') }}) as country_code
    from papers
    inner join {{ ref('stg_openalex__works') }} as works
        on papers.record_file = works.record_file and papers.record_row = works.record_row
    {{ unnest_list('works.authorships', 'authorship', 'author_position') }}
    {{ unnest_list('authorship.institutions', 'institution', 'institution_position') }}

),

-- Delivered as a list beside the authors, not by author; the country is known only where the paper names one.
tables_institutions as (

    select
        papers.document_id,
        cast(null as bigint) as author_position,
        institution_position,
        institution_name,
        cast(null as string) as institution_id,
        cast(null as string) as ror,
        countries.country_code
    from papers
    inner join {{ ref('stg_tables__papers') }} as tables_papers
        on papers.record_file = tables_papers.record_file and papers.record_row = tables_papers.record_row
    left join countries
        on
            {{ lower_case('papers.country') }}
            in ({{ lower_case('countries.country_code') }}, {{ lower_case('countries.country_name') }})
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
