with

records as (

    {% for document_type in ['paper', 'patent'] %}
    select
        '{{ document_type }}' as document_type,
        source_system,
        source_name,
        source_record_id,
        record_file,
        record_row,
        rejection_reason
    from {{ ref('int_' ~ document_type ~ 's_unioned') }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

document_records as (

    select * from {{ ref('int_document_records') }}

),

decisions as (

    select * from {{ ref('int_documents_decided') }}

)

select
    records.document_type,
    records.source_system,
    records.source_name,
    records.source_record_id,
    records.record_file,
    cast(
        records.record_row - min(records.record_row) over (partition by records.record_file) + 1 as bigint
    ) as record_row,
    document_records.document_id,
    decisions.is_ai,
    decisions.outer_probability,
    decisions.inner_probability,
    decisions.decided_by,
    coalesce('rejected: ' || records.rejection_reason, decisions.reason) as decision_reason,
    case when decisions.decided_by in ('filter', 'outer', 'inner') then decisions.decision_source end as model_version
from records
left join document_records
    on
        records.document_type = document_records.document_type
        and records.source_system = document_records.source_system
        and records.record_file = document_records.record_file
        and records.record_row = document_records.record_row
left join decisions on document_records.document_id = decisions.document_id
