with

audited as (

    select * from {{ ref('int_matches_audited') }}

)

select
    embedding_text,
    cast(count(*) as integer) as audited_papers,
    avg(hits_at_1) as recall_at_1,
    avg(hits_at_k) as recall_at_k,
    avg(cast(similarity_regret as double)) as mean_similarity_regret,
    max(cast(similarity_regret as double)) as largest_similarity_regret,
    cast(max(expected_k) as integer) as k
from audited
group by embedding_text
