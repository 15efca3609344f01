with

labels as (

    select * from {{ ref('stg_tables__labels') }}

),

names as (

    select
        record_file,
        record_row,
        cast(null as string) as document_type,
        source_name,
        source_record_id
    from labels
    where rejection_reason is null

),

named as (

    {{ documents_named('names', 'source_record_id') }}

)

select distinct
    labels.record_file,
    labels.record_row,
    labels.source_record_id,
    named.document_id,
    labels.label_source,
    labels.is_ai,
    labels.label_confidence,
    labels.sampling_weight,
    labels.rejection_reason,
    labels.raw_record
from labels
left join named on labels.record_file = named.record_file and labels.record_row = named.record_row
