{# The elements of all lists in a list, in order; a null among the lists counts as one without elements. #}
{% macro list_flatten(lists) -%}
    {{ return(adapter.dispatch('list_flatten')(lists)) }}
{%- endmacro %}

{% macro default__list_flatten(lists) -%}
flatten({{ lists }})
{%- endmacro %}

{% macro spark__list_flatten(lists) -%}
flatten(filter({{ lists }}, inner_list -> inner_list is not null))
{%- endmacro %}
