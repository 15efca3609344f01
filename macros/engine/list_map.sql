{# Every element of a list put through an expression: `list_map('codes', 'code', "upper(code)")`. #}
{% macro list_map(list, element, expression) -%}
    {{ return(adapter.dispatch('list_map')(list, element, expression)) }}
{%- endmacro %}

{% macro default__list_map(list, element, expression) -%}
list_transform({{ list }}, lambda {{ element }}: {{ expression }})
{%- endmacro %}

{% macro spark__list_map(list, element, expression) -%}
transform({{ list }}, {{ element }} -> {{ expression }})
{%- endmacro %}
