select
    record_file,
    record_row,
    ror as source_record_id,
    rejection_reason,
    raw_record
from {{ ref('stg_ror__organisations') }}
where rejection_reason is not null
