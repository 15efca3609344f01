{# A name that SQL cannot take as it is, such as that of a column with a dot. #}
{% macro quoted_name(name) -%}
    {{ return(adapter.dispatch('quoted_name')(name)) }}
{%- endmacro %}

{% macro default__quoted_name(name) -%}
"{{ name }}"
{%- endmacro %}

{% macro spark__quoted_name(name) -%}
`{{ name }}`
{%- endmacro %}
