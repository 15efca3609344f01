with

-- Similarities are added as whole numbers, so that no order of rows shows in a sum. A float of that size has 24 bits.
matches as (

    select
        *,
        cast(floor(cast(similarity as double) * 16777216 + 0.5) as bigint) as similarity_units
    from {{ ref('int_papers_matched_to_patents') }}

),

seen_from_patents as (

    select
        *,
        cast(row_number() over (
            partition by space, patent_id
            order by similarity desc, paper_id asc
        ) as integer) as reverse_rank,
        count(*) over (partition by space, patent_id) as patent_papers
    from matches

),

patents as (

    select
        space,
        patent_id,
        cast(sum(similarity_units) as double) / count(*) / 16777216 as mean_similarity
    from seen_from_patents
    where reverse_rank <= {{ var('csls_neighbours') }}
    group by space, patent_id

),

papers as (

    select
        space,
        paper_id,
        cast(sum(similarity_units) as double) / count(*) / 16777216 as mean_similarity
    from matches
    where rank <= {{ var('csls_neighbours') }}
    group by space, paper_id

)

select
    pairs.space,
    pairs.paper_id,
    pairs.patent_id,
    pairs.rank,
    pairs.similarity,
    pairs.paper_year,
    pairs.patent_year,
    pairs.method,
    pairs.model_version,
    pairs.matching_version,
    pairs.patent_papers,
    pairs.reverse_rank,
    sqrt(cast(pairs.rank as double) * pairs.reverse_rank) as mutual_rank,
    2 * cast(pairs.similarity as double) - papers.mean_similarity - patents.mean_similarity as csls
from seen_from_patents as pairs
inner join papers on pairs.space = papers.space and pairs.paper_id = papers.paper_id
inner join patents on pairs.space = patents.space and pairs.patent_id = patents.patent_id
