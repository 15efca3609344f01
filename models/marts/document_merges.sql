with

records as (

    select * from {{ ref('int_document_records') }}

),

survivors as (

    select
        document_id,
        source_name,
        source_record_id
    from records
    where is_survivor

)

select
    records.document_id,
    records.document_type,
    records.source_system,
    records.source_name,
    records.source_record_id,
    records.record_file,
    records.record_row,
    records.merge_rule,
    survivors.source_name as survivor_source_name,
    survivors.source_record_id as survivor_record_id
from records
inner join survivors on records.document_id = survivors.document_id
where not records.is_survivor
