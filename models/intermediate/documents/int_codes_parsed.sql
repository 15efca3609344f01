with

patents as (

    select * from {{ ref('int_patents_deduplicated') }}

),

compacted as (

    select
        patents.document_id,
        patents.record_file,
        patents.record_row,
        patents.source_system,
        patents.source_name,
        patents.source_record_id,
        delivered.scheme,
        row_number() over in_order as code_position,
        delivered.delivered_code,
        case
            when bool_or(delivered.is_first) over (partition by patents.document_id, delivered.scheme)
                then coalesce(delivered.is_first, false)
            else row_number() over in_order = 1
        end as is_first,
        {{ compact_code('delivered.delivered_code') }} as compact_code
    from patents
    {{ unnest_list('patents.codes', 'delivered', 'delivered_position') }}
    window in_order as (partition by patents.document_id, delivered.scheme order by delivered_position)

),

parsed as (

    select
        *,
        {% set pattern = '^([A-HY])([0-9]{2})([A-Z])(?:0*([1-9][0-9]{0,3})/([0-9]{2,6}))?$' %}
        coalesce({{ regexp_first('compact_code', pattern) }} <> '', false) as is_wellformed,
        nullif({{ regexp_first('compact_code', pattern, 1) }}, '') as section,
        nullif({{ regexp_first('compact_code', pattern, 2) }}, '') as class_digits,
        nullif({{ regexp_first('compact_code', pattern, 3) }}, '') as subclass_letter,
        nullif({{ regexp_first('compact_code', pattern, 4) }}, '') as main_group,
        nullif({{ regexp_first('compact_code', pattern, 5) }}, '') as subgroup
    from compacted

)

select
    document_id,
    record_file,
    record_row,
    source_system,
    source_name,
    source_record_id,
    scheme,
    code_position,
    delivered_code,
    is_first,
    is_wellformed,
    section || class_digits || subclass_letter || coalesce(' ' || main_group || '/' || subgroup, '') as code,
    section,
    section || class_digits as class,
    section || class_digits || subclass_letter as subclass,
    main_group,
    subgroup
from parsed
