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
    from {{ ref('stg_tables__labels') }}
    where rejection_reason is not null

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

unioned as (

    select * from papers

    union all

    select * from patents

    union all

    select * from labels

    union all

    select * from codes

)

select * from unioned
