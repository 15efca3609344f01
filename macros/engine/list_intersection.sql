{# The distinct elements that two lists share, in no order. #}
{% macro list_intersection(list, other) -%}
    {{ return(adapter.dispatch('list_intersection')(list, other)) }}
{%- endmacro %}

{% macro default__list_intersection(list, other) -%}
list_intersect({{ list }}, {{ other }})
{%- endmacro %}

{% macro spark__list_intersection(list, other) -%}
array_intersect({{ list }}, {{ other }})
{%- endmacro %}
