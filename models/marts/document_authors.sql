with

papers as (

    select
        document_id,
        'author' as author_role,
        authors
    from {{ ref('int_papers_deduplicated') }}

),

patents as (

    select
        document_id,
        'inventor' as author_role,
        inventors as authors
    from {{ ref('int_patents_deduplicated') }}

),

documents as (

    select * from papers

    union all

    select * from patents

),

countries as (

    select
        document_id,
        author_position,
        array_sort(array_agg(country_code)) as country_codes,
        min(country_basis) as country_basis
    from {{ ref('int_author_countries') }}
    group by document_id, author_position

),

authors as (

    select
        documents.document_id,
        cast(author_position as integer) as author_position,
        documents.author_role,
        author.author_name,
        author.author_id,
        author.orcid,
        author.is_corresponding,
        author.affiliation
    from documents
    {{ unnest_list('documents.authors', 'author', 'author_position') }}
    where author.author_name is not null

)

select
    authors.document_id,
    authors.author_position,
    authors.author_role,
    authors.author_name,
    authors.author_id,
    authors.orcid,
    authors.is_corresponding,
    authors.affiliation,
    countries.country_codes,
    countries.country_basis
from authors
left join countries
    on authors.document_id = countries.document_id and authors.author_position = countries.author_position
