with

last_build as (

    {{ as_of_last_build('int_papers_matched_to_patents', {
        'embedding_text': 'string',
        'paper_id': 'string',
        'patent_id': 'string',
        'rank': 'int',
        'similarity': 'float',
        'paper_year': 'int',
        'patent_year': 'int',
        'method': 'string',
        'model_version': 'string',
        'matching_version': 'string',
    }) }}

),

unchanged as (

    select * from {{ ref('int_vectors_unchanged') }}

),

-- A paper is searched anew when one of its patents is gone, has changed, or is not known to be the same: so a build
-- that was killed between its tables does no harm.
papers_to_search as (

    select distinct
        last_build.embedding_text,
        last_build.paper_id
    from last_build
    left join unchanged
        on last_build.embedding_text = unchanged.embedding_text and last_build.patent_id = unchanged.document_id
    where unchanged.document_id is null or last_build.matching_version <> '{{ matching_version() }}'

)

select last_build.*
from last_build
inner join unchanged
    on last_build.embedding_text = unchanged.embedding_text and last_build.paper_id = unchanged.document_id
left join papers_to_search
    on
        last_build.embedding_text = papers_to_search.embedding_text
        and last_build.paper_id = papers_to_search.paper_id
where papers_to_search.paper_id is null
