{# The staging models that give papers or patents, by source system. They have the same columns. #}
{% macro staging_models(entity) -%}
    {{ return({
        'papers': {
            'openalex': 'stg_openalex__works',
            'tables': 'stg_tables__papers',
        },
        'patents': {
            'google_patents': 'stg_google_patents__publications',
            'tables': 'stg_tables__patents',
        },
    }[entity]) }}
{%- endmacro %}
