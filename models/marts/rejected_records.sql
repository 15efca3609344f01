select * from {{ ref('int_records_rejected') }}
