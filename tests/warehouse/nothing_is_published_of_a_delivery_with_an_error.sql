-- Without a year, a text or most of its records, a side gives no pair or no decision: stop, and publish nothing.
select *
from {{ ref('delivery_warnings') }}
where severity = 'error'
