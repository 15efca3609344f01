{# The elements of a list of text in ascending order, byte by byte. #}
{% macro list_sorted(list) -%}
    {{ return(adapter.dispatch('list_sorted')(list)) }}
{%- endmacro %}

{% macro default__list_sorted(list) -%}
list_sort({{ list }})
{%- endmacro %}

{% macro spark__list_sorted(list) -%}
sort_array({{ list }})
{%- endmacro %}
