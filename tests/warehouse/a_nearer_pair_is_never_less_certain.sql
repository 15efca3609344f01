-- Of two patents that follow each other by similarity, the nearer one is as certain or more, if it stands out as much.
with

pairs as (

    select
        space,
        paper_id,
        similarity_rank,
        similarity,
        csls,
        confidence,
        lead(similarity) over (partition by space, paper_id order by similarity_rank) as next_similarity,
        lead(csls) over (partition by space, paper_id order by similarity_rank) as next_csls,
        lead(confidence) over (partition by space, paper_id order by similarity_rank) as next_confidence
    from {{ ref('paper_patent_pairs') }}

)

select
    space,
    paper_id,
    similarity_rank
from pairs
where
    similarity >= next_similarity
    and csls >= next_csls
    and confidence < next_confidence - 0.000001
