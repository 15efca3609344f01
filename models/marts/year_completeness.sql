select
    source_system,
    source_name,
    document_type,
    office_code,
    year_kind,
    year,
    documents,
    data_until,
    expected_share,
    expected_share_low,
    expected_share_high,
    expected_share >= {{ var('complete_year_share') }} as is_complete_year,
    basis
from {{ ref('int_years_completed') }}
