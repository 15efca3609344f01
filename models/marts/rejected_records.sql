with

papers as (

    select
        'paper' as entity,
        source_system,
        source_name,
        source_record_id,
        record_file,
        record_row,
        rejection_reason as reason,
        raw_record
    from {{ ref('int_papers_unioned') }}
    where rejection_reason is not null

),

patents as (

    select
        'patent' as entity,
        source_system,
        source_name,
        source_record_id,
        record_file,
        record_row,
        rejection_reason as reason,
        raw_record
    from {{ ref('int_patents_unioned') }}
    where rejection_reason is not null

),

labels as (

    select
        'label' as entity,
        'tables' as source_system,
        coalesce(label_source, 'tables') as source_name,
        source_record_id,
        record_file,
        record_row,
        rejection_reason as reason,
        raw_record
    from {{ ref('int_labels_imported') }}
    where rejection_reason is not null

),

unknown_labels as (

    select
        'label' as entity,
        'tables' as source_system,
        label_source as source_name,
        source_record_id,
        record_file,
        record_row,
        'unknown_document' as reason,
        {{ to_json_text(struct(['source_record_id', 'is_ai', 'label_source'])) }} as raw_record
    from {{ ref('int_labels_imported') }}
    where rejection_reason is null and document_id is null

),

links as (

    select
        'link' as entity,
        'tables' as source_system,
        'tables' as source_name,
        paper_record_id || ' ' || patent_record_id as source_record_id,
        record_file,
        record_row,
        rejection_reason as reason,
        raw_record
    from {{ ref('int_links_imported') }}
    where rejection_reason is not null

),

unknown_links as (

    select distinct
        'link' as entity,
        'tables' as source_system,
        'tables' as source_name,
        paper_record_id || ' ' || patent_record_id as source_record_id,
        record_file,
        record_row,
        'unknown_document' as reason,
        {{ to_json_text(struct(['paper_record_id', 'patent_record_id', 'kind'])) }} as raw_record
    from {{ ref('int_links_imported') }}
    where rejection_reason is null and (paper_id is null or patent_id is null)

),

codes as (

    select
        'code' as entity,
        source_system,
        source_name,
        source_record_id,
        record_file,
        record_row,
        'malformed_code' as reason,
        scheme || ' ' || coalesce(delivered_code, '') as raw_record
    from {{ ref('int_codes_parsed') }}
    where not is_wellformed

),

organisations as (

    select
        'organisation' as entity,
        'ror' as source_system,
        'ror' as source_name,
        source_record_id,
        record_file,
        record_row,
        rejection_reason as reason,
        raw_record
    from {{ ref('int_organisations_rejected') }}

),

unioned as (

    select * from papers

    union all

    select * from patents

    union all

    select * from labels

    union all

    select * from unknown_labels

    union all

    select * from links

    union all

    select * from unknown_links

    union all

    select * from codes

    union all

    select * from organisations

),

-- Rows are counted through all files of a source; a person looks into one.
files as (

    select
        source_system,
        record_file,
        min(first_row) as first_row
    from {{ ref('int_files_counted') }}
    group by source_system, record_file

)

select
    unioned.entity,
    unioned.source_system,
    unioned.source_name,
    unioned.source_record_id,
    unioned.record_file,
    unioned.record_row - files.first_row + 1 as record_row,
    unioned.reason,
    unioned.raw_record
from unioned
inner join files
    on unioned.source_system = files.source_system and unioned.record_file = files.record_file
