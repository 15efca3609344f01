select
    source_system,
    source_name,
    document_type,
    kind,
    field,
    value,
    records
from {{ ref('int_values_not_understood') }}

union all

-- Countries travel as delivered and are read after records are merged.
select
    source_system,
    source_name,
    case
        when field in ('country of inventors', 'country of applicants') then 'patent'
        else 'paper'
    end as document_type,
    'value' as kind,
    field,
    value,
    cast(records as bigint) as records
from {{ ref('int_countries_not_understood') }}
