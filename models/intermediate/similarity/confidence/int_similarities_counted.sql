with

-- Steps of 1/200 and 1/100 are finer than any calibration can tell apart, and make thousands of rows of millions.
pairs as (

    select
        space,
        cast(floor(cast(similarity as double) * 200 + 0.5) as integer) as similarity_step,
        cast(floor(csls * 100 + 0.5) as integer) as csls_step,
        rank
    from {{ ref('int_pairs_hubness_corrected') }}

)

select
    space,
    similarity_step,
    csls_step,
    count(*) as pairs,
    count(case when rank = 1 then 1 end) as papers
from pairs
group by space, similarity_step, csls_step
