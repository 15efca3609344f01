with

rejected as (

    select
        entity,
        source_system,
        source_name,
        reason,
        count(*) as records
    from {{ ref('rejected_records') }}
    group by entity, source_system, source_name, reason

)

select
    rejected.entity,
    rejected.source_system,
    rejected.source_name,
    rejected.reason,
    rejected.records,
    reasons.is_by_design,
    reasons.description,
    reasons.remedy
from rejected
left join {{ ref('rejection_reasons') }} as reasons
    on rejected.reason = reasons.reason and rejected.entity = reasons.entity
