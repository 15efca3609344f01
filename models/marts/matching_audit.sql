with

audited as (

    select
        audited.*,
        sampled.papers_represented
    from {{ ref('int_matches_audited') }} as audited
    inner join {{ ref('int_papers_sampled') }} as sampled
        on audited.space = sampled.space and audited.paper_id = sampled.document_id

),

groups as (

    select
        *,
        cast(null as int) as year_of_group
    from audited

    union all

    select
        *,
        paper_year as year_of_group
    from audited

),

-- A paper counts for as many as it was drawn for; draws are those of a sample without weights that tells as much
-- (Kish 1965).
estimated as (

    select
        space,
        year_of_group,
        count(*) as audited_papers,
        sum(papers_represented) as papers_represented,
        sum(papers_represented) * sum(papers_represented)
        / sum(papers_represented * papers_represented) as draws,
        sum(papers_represented * hits_at_1) / sum(papers_represented) as recall_at_1,
        sum(papers_represented * hits_at_k) / sum(papers_represented) as recall_at_k,
        sum(papers_represented * similarity_regret) / sum(papers_represented) as mean_similarity_regret,
        sum(papers_represented * similarity_regret * similarity_regret)
        / sum(papers_represented) as mean_squared_regret,
        max(similarity_regret) as largest_similarity_regret
    from groups
    group by space, year_of_group

),

bounded as (

    select
        *,
        1.96 * sqrt(
            greatest(0, mean_squared_regret - mean_similarity_regret * mean_similarity_regret) / draws
        ) as half_of_interval
    from estimated

)

select
    space,
    cast(year_of_group as integer) as paper_year,
    cast(audited_papers as integer) as audited_papers,
    cast(round(papers_represented) as bigint) as papers_represented,
    cast(least(1, recall_at_1) as double) as recall_at_1,
    cast({{ wilson_bound('recall_at_1', 'draws', '-') }} as double) as recall_at_1_low,
    cast({{ wilson_bound('recall_at_1', 'draws', '+') }} as double) as recall_at_1_high,
    cast(least(1, recall_at_k) as double) as recall_at_k,
    cast({{ wilson_bound('recall_at_k', 'draws', '-') }} as double) as recall_at_k_low,
    cast({{ wilson_bound('recall_at_k', 'draws', '+') }} as double) as recall_at_k_high,
    cast(mean_similarity_regret as double) as mean_similarity_regret,
    cast(mean_similarity_regret - half_of_interval as double) as mean_similarity_regret_low,
    cast(mean_similarity_regret + half_of_interval as double) as mean_similarity_regret_high,
    cast(largest_similarity_regret as double) as largest_similarity_regret,
    cast({{ var('top_k') }} as integer) as k
from bounded
