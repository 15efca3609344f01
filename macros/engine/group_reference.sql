{# What stands in a replacement for a group that the pattern found. #}
{% macro group_reference(number) -%}
    {{ return(adapter.dispatch('group_reference')(number)) }}
{%- endmacro %}

{% macro default__group_reference(number) -%}
\{{ number }}
{%- endmacro %}

{% macro spark__group_reference(number) -%}
${{ number }}
{%- endmacro %}
