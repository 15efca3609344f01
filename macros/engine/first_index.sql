{# The index of a list's first element: lists count from 1 in DuckDB and from 0 in Spark. #}
{% macro first_index() -%}
    {{ return(adapter.dispatch('first_index')()) }}
{%- endmacro %}

{% macro default__first_index() -%}1{%- endmacro %}

{% macro spark__first_index() -%}0{%- endmacro %}
