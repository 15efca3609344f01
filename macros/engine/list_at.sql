{# The element of a list at a position from 1; null where the list is shorter. #}
{% macro list_at(list, position) -%}
    {{ return(adapter.dispatch('list_at')(list, position)) }}
{%- endmacro %}

{% macro default__list_at(list, position) -%}
list_extract({{ list }}, {{ position }})
{%- endmacro %}

{% macro spark__list_at(list, position) -%}
get({{ list }}, cast({{ position }} as int) - 1)
{%- endmacro %}
