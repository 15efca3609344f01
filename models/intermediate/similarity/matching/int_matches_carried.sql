with

last_build as (

    {{ as_of_last_build('int_papers_matched_to_patents', {
        'space': 'string',
        'paper_id': 'string',
        'patent_id': 'string',
        'rank': 'int',
        'similarity': 'float',
        'paper_year': 'int',
        'patent_year': 'int',
        'method': 'string',
        'model_version': 'string',
        'matching_version': 'string',
        'vectors_digest': 'string',
    }) }}

),

vectors_of_last_build as (

    {{ as_of_last_build('int_vectors_matched', {'vectors_digest': 'string'}) }}

),

remembered as (

    select distinct vectors_digest from vectors_of_last_build

),

unchanged as (

    select
        space,
        document_id
    from {{ ref('int_documents_compared') }}
    where is_unchanged

),

-- Matches that are not of the very vectors that are remembered, as after a build that was killed between the two
-- tables, are of no use: what has become of documents in the meantime nobody knows.
usable as (

    select last_build.*
    from last_build
    inner join remembered
        on last_build.vectors_digest = remembered.vectors_digest
    where last_build.matching_version = '{{ matching_version() }}'

),

-- A paper is searched anew when one of its patents is gone or has changed.
papers_to_search as (

    select distinct
        usable.space,
        usable.paper_id
    from usable
    left join unchanged
        on usable.space = unchanged.space and usable.patent_id = unchanged.document_id
    where unchanged.document_id is null

)

select
    usable.space,
    usable.paper_id,
    usable.patent_id,
    usable.rank,
    usable.similarity,
    usable.paper_year,
    usable.patent_year,
    usable.method,
    usable.model_version,
    usable.matching_version
from usable
inner join unchanged
    on usable.space = unchanged.space and usable.paper_id = unchanged.document_id
left join papers_to_search
    on usable.space = papers_to_search.space and usable.paper_id = papers_to_search.paper_id
where papers_to_search.paper_id is null
