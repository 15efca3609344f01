select * from {{ ref('int_confidences_calibrated') }}
