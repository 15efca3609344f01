{# Tables of other kinds than papers and patents. -#}
{% set others = [
    ('openalex', 'deleted_works', 'stg_openalex__deleted_works'),
    ('openalex', 'merged_works', 'stg_openalex__merged_works'),
    ('ror', 'organisations', 'stg_ror__organisations'),
    ('tables', 'labels', 'stg_tables__labels'),
    ('tables', 'links', 'stg_tables__links'),
] -%}
{% set delivered = [] -%}
{% for entity in ['papers', 'patents'] -%}
{% for system, model in staging_models(entity).items() -%}
{% do delivered.append((system, model.split('__')[1], model)) -%}
{% endfor -%}
{% endfor -%}
{% for system, table, model in delivered + others %}
select
    '{{ system }}' as source_system,
    '{{ table }}' as delivered_table,
    record_file,
    count(*) as records,
    min(record_row) as first_row
from {{ ref(model) }}
group by record_file
{{ 'union all' if not loop.last }}
{% endfor %}
