{# Folders name their schema outright: `marts.papers` reads better than `main_marts.papers`. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
