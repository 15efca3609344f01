-- A reason is known for what it is said of, too: a label is told another remedy than a paper.
select
    rejected.entity,
    rejected.reason
from {{ ref('rejected_records') }} as rejected
left join {{ ref('rejection_reasons') }} as reasons
    on rejected.reason = reasons.reason and rejected.entity = reasons.entity
where reasons.reason is null
group by rejected.entity, rejected.reason
