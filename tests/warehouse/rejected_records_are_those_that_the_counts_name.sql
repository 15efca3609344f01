-- The quarantine holds as many papers and patents as the counts say were refused.
with

counted as (

    select coalesce(sum(rejected_records), 0) as records
    from {{ ref('record_counts') }}

),

quarantined as (

    select count(*) as records
    from {{ ref('rejected_records') }}
    where entity in ('paper', 'patent')

)

select
    counted.records as counted_records,
    quarantined.records as quarantined_records
from counted
cross join quarantined
where counted.records <> quarantined.records
