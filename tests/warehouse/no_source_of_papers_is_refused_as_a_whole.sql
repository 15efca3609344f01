-- A source whose every record is refused was named wrongly or has another form: stop, and publish nothing.
select
    source_system,
    min(rejection_reason) as one_reason
from {{ ref('int_papers_unioned') }}
group by source_system
having count(*) filter (where rejection_reason is null) = 0
