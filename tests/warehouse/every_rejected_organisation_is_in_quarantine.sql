-- What is not used of a register of organisations stands among rejected records, each once.
with

refused as (

    select count(*) as records
    from {{ ref('stg_ror__organisations') }}
    where rejection_reason is not null

),

quarantined as (

    select count(*) as records
    from {{ ref('rejected_records') }}
    where entity = 'organisation'

)

select
    refused.records as refused_records,
    quarantined.records as quarantined_records
from refused
cross join quarantined
where refused.records <> quarantined.records
