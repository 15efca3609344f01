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

)

select
    documents.document_id,
    cast(author_position as integer) as author_position,
    documents.author_role,
    author.author_name,
    author.author_id,
    author.orcid,
    author.is_corresponding,
    author.country_codes[{{ first_index() }}] as country_code
from documents
{{ unnest_list('documents.authors', 'author', 'author_position') }}
where author.author_name is not null
