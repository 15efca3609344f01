{# A struct of columns, under their own names. #}
{% macro struct(columns) -%}
    {{ return(adapter.dispatch('struct')(columns)) }}
{%- endmacro %}

{% macro default__struct(columns) -%}
struct_pack({% for column in columns %}{{ column }} := {{ column }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{% macro spark__struct(columns) -%}
struct({{ columns | join(', ') }})
{%- endmacro %}
