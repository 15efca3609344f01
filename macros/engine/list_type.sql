{# The type of a list of elements of a type. #}
{% macro list_type(element) -%}
    {{ return(adapter.dispatch('list_type')(element)) }}
{%- endmacro %}

{% macro default__list_type(element) -%}{{ element }}[]{%- endmacro %}

{% macro spark__list_type(element) -%}array<{{ element }}>{%- endmacro %}
