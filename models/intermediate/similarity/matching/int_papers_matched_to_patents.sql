with

digest as (

    {{ digest_of_vectors(ref('int_documents_compared')) }}

),

carried as (

    select * from {{ ref('int_matches_carried') }}

),

found as (

    select
        space,
        paper_id,
        patent_id,
        rank,
        similarity,
        paper_year,
        patent_year,
        method,
        model_version,
        '{{ matching_version() }}' as matching_version
    from {{ ref('int_matches_found') }}

),

papers_found as (

    select distinct
        space,
        paper_id
    from found

),

merged as (

    select * from found

    union all

    select carried.*
    from carried
    inner join papers_found
        on carried.space = papers_found.space and carried.paper_id = papers_found.paper_id

),

ranked as (

    select
        *,
        row_number() over (
            partition by space, paper_id
            order by similarity desc, patent_id asc
        ) as place
    from merged

),

matches as (

    select
        space,
        paper_id,
        patent_id,
        cast(place as int) as rank,
        similarity,
        paper_year,
        patent_year,
        method,
        model_version,
        matching_version
    from ranked
    where place <= {{ var('top_k') }}

    union all

    select carried.*
    from carried
    left join papers_found
        on carried.space = papers_found.space and carried.paper_id = papers_found.paper_id
    where papers_found.paper_id is null

)

select
    matches.*,
    digest.vectors_digest
from matches
cross join digest
