select * from {{ ref('int_record_counts') }}
