with

measures as (

    select * from {{ ref('int_source_measures') }}

),

accepted as (

    select * from measures
    where measure = 'accepted'

)

select
    filled.source_system,
    filled.source_name,
    filled.document_type,
    filled.item as field,
    accepted.records,
    filled.records as filled_records,
    case when accepted.records > 0 then cast(filled.records as double) / accepted.records end as share_filled
from measures as filled
inner join accepted
    on
        filled.source_system = accepted.source_system
        and filled.source_name = accepted.source_name
        and filled.document_type = accepted.document_type
where filled.measure = 'filled'
