select
    source_system,
    source_name,
    source_record_id,
    record_file,
    record_row,
    document_id,
    'paper' as document_type,
    is_survivor,
    categories,
    label_is_ai,
    label_source
from {{ ref('int_papers_identified') }}

union all

select
    source_system,
    source_name,
    source_record_id,
    record_file,
    record_row,
    document_id,
    'patent' as document_type,
    is_survivor,
    cast(null as {{ list_type('string') }}) as categories,
    label_is_ai,
    label_source
from {{ ref('int_patents_identified') }}
