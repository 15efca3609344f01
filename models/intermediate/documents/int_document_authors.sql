with

papers as (

    select * from {{ ref('int_papers_deduplicated') }}

),

patents as (

    select * from {{ ref('int_patents_deduplicated') }}

),

openalex_authors as (

    select
        papers.document_id,
        author_position,
        'author' as author_role,
        {{ clean_text('coalesce(authorship.author.display_name, authorship.raw_author_name)') }} as author_name,
        nullif({{ regexp_first('authorship.author.id', 'A[0-9]+$') }}, '') as author_id,
        nullif({{ regexp_first('authorship.author.orcid', '([0-9]{4}-){3}[0-9]{3}[0-9X]$') }}, '') as orcid,
        authorship.is_corresponding,
        cast(null as string) as country_code
    from papers
    inner join {{ ref('stg_openalex__works') }} as works
        on papers.record_file = works.record_file and papers.record_row = works.record_row
    {{ unnest_list('works.authorships', 'authorship', 'author_position') }}

),

tables_authors as (

    select
        papers.document_id,
        author_position,
        'author' as author_role,
        author_name,
        cast(null as string) as author_id,
        cast(null as string) as orcid,
        cast(null as boolean) as is_corresponding,
        cast(null as string) as country_code
    from papers
    inner join {{ ref('stg_tables__papers') }} as tables_papers
        on papers.record_file = tables_papers.record_file and papers.record_row = tables_papers.record_row
    {{ unnest_list('tables_papers.authors', 'author_name', 'author_position') }}

),

google_inventors as (

    select
        patents.document_id,
        author_position,
        'inventor' as author_role,
        {{ clean_text('inventor.name') }} as author_name,
        cast(null as string) as author_id,
        cast(null as string) as orcid,
        cast(null as boolean) as is_corresponding,
        upper({{ clean_text('inventor.country_code') }}) as country_code
    from patents
    inner join {{ ref('stg_google_patents__publications') }} as publications
        on patents.record_file = publications.record_file and patents.record_row = publications.record_row
    {{ unnest_list('publications.inventors', 'inventor', 'author_position') }}

),

-- The harmonised names are missing for some publications; the names as printed are not.
google_inventors_as_printed as (

    select
        patents.document_id,
        author_position,
        'inventor' as author_role,
        {{ clean_text('inventor_name') }} as author_name,
        cast(null as string) as author_id,
        cast(null as string) as orcid,
        cast(null as boolean) as is_corresponding,
        cast(null as string) as country_code
    from patents
    inner join {{ ref('stg_google_patents__publications') }} as publications
        on patents.record_file = publications.record_file and patents.record_row = publications.record_row
    {{ unnest_list('publications.inventor_names', 'inventor_name', 'author_position') }}
    where {{ list_length('publications.inventors') }} = 0

),

tables_inventors as (

    select
        patents.document_id,
        author_position,
        'inventor' as author_role,
        author_name,
        cast(null as string) as author_id,
        cast(null as string) as orcid,
        cast(null as boolean) as is_corresponding,
        cast(null as string) as country_code
    from patents
    inner join {{ ref('stg_tables__patents') }} as tables_patents
        on patents.record_file = tables_patents.record_file and patents.record_row = tables_patents.record_row
    {{ unnest_list('tables_patents.inventors', 'author_name', 'author_position') }}

),

unioned as (

    {% for relation in [
        'openalex_authors', 'tables_authors', 'google_inventors', 'google_inventors_as_printed', 'tables_inventors'
    ] %}
    select * from {{ relation }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    document_id,
    cast(author_position as integer) as author_position,
    author_role,
    author_name,
    author_id,
    orcid,
    is_corresponding,
    country_code
from unioned
where author_name is not null
