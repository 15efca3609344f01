with

matches as (

    select * from {{ ref('int_pairs_hubness_corrected') }}

),

documents as (

    select * from {{ ref('int_document_words') }}

),

pairs as (

    select distinct
        paper_id,
        patent_id
    from matches

),

lengths as (

    select cast(avg(word_count) as double) as mean_length
    from documents
    where document_type = 'patent'

),

shared as (

    select
        pairs.paper_id,
        pairs.patent_id,
        {{ each_of_list(list_intersection('papers.words', 'patents.words')) }} as word
    from pairs
    inner join documents as papers on pairs.paper_id = papers.document_id
    inner join documents as patents on pairs.patent_id = patents.document_id

),

weighed as (

    select
        shared.paper_id,
        shared.patent_id,
        sum(words.weight) as weight
    from shared
    inner join {{ ref('int_words_weighed') }} as words on split_part(shared.word, '#', 1) = words.word
    group by shared.paper_id, shared.patent_id

),

-- BM25 with the usual k1 = 1.2 and b = 0.75, but for the frequency of a word: it counts as often as both have it, up
-- to four times, which is what sets of words can tell.
scored as (

    select
        matches.*,
        coalesce(
            cast(weighed.weight as double) / cast(1000000 as double) * cast(2.2 as double)
            / (
                1 + cast(1.2 as double)
                * (cast(0.25 as double) + cast(0.75 as double) * patents.word_count / lengths.mean_length)
            ), 0
        ) as word_score
    from matches
    cross join lengths
    left join documents as patents on matches.patent_id = patents.document_id
    left join weighed on matches.paper_id = weighed.paper_id and matches.patent_id = weighed.patent_id

),

ranked_by_words as (

    select
        *,
        row_number() over (
            partition by space, paper_id
            order by word_score desc nulls last, rank asc
        ) as word_rank
    from scored

),

fused as (

    select
        *,
        row_number() over (
            partition by space, paper_id
            order by
                cast(1 as double) / (60 + rank) + cast(1 as double) / (60 + word_rank) desc nulls last,
                rank asc
        ) as fused_rank
    from ranked_by_words

)

select
    space,
    paper_id,
    patent_id,
    cast({{ 'fused_rank' if var('pair_ranking') == 'fused' else 'rank' }} as int) as rank,
    similarity,
    rank as similarity_rank,
    cast(word_score as double) as word_score,
    paper_year,
    patent_year,
    patent_papers,
    reverse_rank,
    mutual_rank,
    csls,
    method,
    model_version,
    matching_version
from fused
