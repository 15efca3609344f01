-- Nothing is lost and nothing is counted twice, source by source.
select *
from {{ ref('record_counts') }}
where delivered_records <> accepted_records + merged_records + rejected_records
