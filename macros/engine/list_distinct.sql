{# The elements of a list, each once, in no order. #}
{% macro list_distinct(list) -%}
    {{ return(adapter.dispatch('list_distinct')(list)) }}
{%- endmacro %}

{% macro default__list_distinct(list) -%}
list_distinct({{ list }})
{%- endmacro %}

{% macro spark__list_distinct(list) -%}
array_distinct({{ list }})
{%- endmacro %}
