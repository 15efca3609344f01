with

records as (

    select * from {{ ref('int_document_records') }}

)

select
    document_type,
    source_name,
    source_record_id as document_name,
    document_id
from records

union

select
    document_type,
    source_name,
    document_id as document_name,
    document_id
from records
