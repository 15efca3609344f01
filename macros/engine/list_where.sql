{# The elements of a list for which a condition is true: `list_where('names', 'name', "name <> ''")`. #}
{% macro list_where(list, element, condition) -%}
    {{ return(adapter.dispatch('list_where')(list, element, condition)) }}
{%- endmacro %}

{% macro default__list_where(list, element, condition) -%}
list_filter({{ list }}, lambda {{ element }}: {{ condition }})
{%- endmacro %}

{% macro spark__list_where(list, element, condition) -%}
filter({{ list }}, {{ element }} -> {{ condition }})
{%- endmacro %}
