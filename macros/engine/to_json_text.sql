{# A list or a struct as JSON text; what is null stays in it as null. #}
{% macro to_json_text(value) -%}
    {{ return(adapter.dispatch('to_json_text')(value)) }}
{%- endmacro %}

{% macro default__to_json_text(value) -%}
cast(to_json({{ value }}) as string)
{%- endmacro %}

{% macro spark__to_json_text(value) -%}
to_json({{ value }}, map('ignoreNullFields', 'false'))
{%- endmacro %}
