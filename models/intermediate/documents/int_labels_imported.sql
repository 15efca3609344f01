with

labels as (

    select * from {{ ref('stg_tables__labels') }}

),

readable_labels as (

    select * from labels
    where rejection_reason is null

),

-- A label may write a name in any form that a source may.
names_in_labels as (

    {{ forms_of_name('readable_labels', 'source_record_id') }}

),

named as (

    select distinct
        names_in_labels.record_file,
        names_in_labels.record_row,
        names.source_name,
        names.document_id
    from names_in_labels
    inner join {{ ref('int_document_names') }} as names on names_in_labels.document_name = names.document_name

)

select distinct
    labels.record_file,
    labels.record_row,
    labels.source_record_id,
    named.document_id,
    labels.label_source,
    labels.is_ai,
    labels.rejection_reason,
    labels.raw_record
from labels
left join named
    on
        labels.record_file = named.record_file
        and labels.record_row = named.record_row
        and (labels.source_name is null or labels.source_name = named.source_name)
