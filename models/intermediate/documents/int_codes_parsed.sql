with

google_publications as (

    select * from {{ ref('stg_google_patents__publications') }}

),

tables_patents as (

    select * from {{ ref('stg_tables__patents') }}

),

patents as (

    select
        document_id,
        record_file,
        record_row,
        source_system,
        source_name,
        source_record_id
    from {{ ref('int_patents_deduplicated') }}

),

delivered as (

    {% for scheme in ['ipc', 'cpc'] %}
    select
        google_publications.record_file,
        google_publications.record_row,
        '{{ scheme }}' as scheme,
        code_position,
        delivered_code.code as delivered_code,
        delivered_code.first as is_first
    from google_publications
    {{ unnest_list('google_publications.' ~ scheme, 'delivered_code', 'code_position') }}

    union all

    select
        tables_patents.record_file,
        tables_patents.record_row,
        '{{ scheme }}' as scheme,
        code_position,
        delivered_code,
        cast(null as boolean) as is_first
    from tables_patents
    {{ unnest_list('tables_patents.' ~ scheme, 'delivered_code', 'code_position') }}
    {{ 'union all' if not loop.last }}

    {% endfor %}

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
        delivered.code_position,
        delivered.delivered_code,
        case
            when bool_or(delivered.is_first) over (partition by patents.document_id, delivered.scheme)
                then coalesce(delivered.is_first, false)
            else delivered.code_position = 1
        end as is_first,
        upper({{ regexp_replace_all('delivered.delivered_code', '[ \t\u00a0]+', '') }}) as compact_code
    from delivered
    inner join patents
        on
            delivered.record_file = patents.record_file
            and delivered.record_row = patents.record_row

),

parsed as (

    select
        *,
        {% set pattern = '^([A-HY])([0-9]{2})([A-Z])(([0-9]{1,4})/([0-9]{2,6}))?$' %}
        coalesce({{ regexp_first('compact_code', pattern) }} <> '', false) as is_wellformed,
        nullif({{ regexp_first('compact_code', pattern, 1) }}, '') as section,
        nullif({{ regexp_first('compact_code', pattern, 2) }}, '') as class_digits,
        nullif({{ regexp_first('compact_code', pattern, 3) }}, '') as subclass_letter,
        nullif({{ regexp_first('compact_code', pattern, 5) }}, '') as main_group,
        nullif({{ regexp_first('compact_code', pattern, 6) }}, '') as subgroup
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
