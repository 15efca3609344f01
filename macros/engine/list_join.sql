{# The elements of a list of text, in order, with a separator between them. #}
{% macro list_join(list, separator) -%}
    {{ return(adapter.dispatch('list_join')(list, separator)) }}
{%- endmacro %}

{% macro default__list_join(list, separator) -%}
array_to_string({{ list }}, '{{ separator }}')
{%- endmacro %}

{% macro spark__list_join(list, separator) -%}
array_join({{ list }}, '{{ separator }}')
{%- endmacro %}
