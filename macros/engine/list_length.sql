{# How many elements a list has; 0 for null. #}
{% macro list_length(list) -%}
    {{ return(adapter.dispatch('list_length')(list)) }}
{%- endmacro %}

{% macro default__list_length(list) -%}
coalesce(len({{ list }}), 0)
{%- endmacro %}

{% macro spark__list_length(list) -%}
case when {{ list }} is null then 0 else cardinality({{ list }}) end
{%- endmacro %}
