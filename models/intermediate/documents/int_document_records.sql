select
    source_system,
    source_name,
    source_record_id,
    record_file,
    record_row,
    record_document_id,
    document_id,
    'paper' as document_type,
    is_survivor,
    merge_rule,
    record_doi as doi,
    record_arxiv_id as arxiv_id,
    cast(null as string) as publication_number,
    cast(null as string) as application_number,
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
    document_id as record_document_id,
    document_id,
    'patent' as document_type,
    is_survivor,
    merge_rule,
    cast(null as string) as doi,
    cast(null as string) as arxiv_id,
    publication_number,
    record_application_number as application_number,
    cast(null as {{ list_type('string') }}) as categories,
    label_is_ai,
    label_source
from {{ ref('int_patents_identified') }}
