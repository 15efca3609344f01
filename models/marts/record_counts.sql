with

{% for document_type in ['paper', 'patent'] %}
delivered_{{ document_type }}s as (

    select
        '{{ document_type }}' as document_type,
        source_system,
        source_name,
        count(*) as delivered_records,
        count(*) filter (where rejection_reason is not null) as rejected_records
    from {{ ref('int_' ~ document_type ~ 's_unioned') }}
    group by source_system, source_name

),

{% endfor %}

delivered as (

    select * from delivered_papers

    union all

    select * from delivered_patents

),

accepted as (

    select
        document_type,
        source_system,
        source_name,
        count(*) filter (where is_survivor) as accepted_records,
        count(*) filter (where not is_survivor) as merged_records
    from {{ ref('int_document_records') }}
    group by document_type, source_system, source_name

)

select
    delivered.document_type,
    delivered.source_system,
    delivered.source_name,
    delivered.delivered_records,
    coalesce(accepted.accepted_records, 0) as accepted_records,
    coalesce(accepted.merged_records, 0) as merged_records,
    delivered.rejected_records
from delivered
left join accepted
    on
        delivered.document_type = accepted.document_type
        and delivered.source_system = accepted.source_system
        and delivered.source_name = accepted.source_name
