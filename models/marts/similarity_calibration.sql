select * from {{ ref('int_confidences_checked') }}
