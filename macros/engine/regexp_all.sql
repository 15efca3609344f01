{# Every match of a pattern, in order, as a list of text. #}
{% macro regexp_all(text, pattern) -%}
    {{ return(adapter.dispatch('regexp_all')(text, pattern)) }}
{%- endmacro %}

{% macro default__regexp_all(text, pattern) -%}
regexp_extract_all({{ text }}, '{{ pattern }}')
{%- endmacro %}

{% macro spark__regexp_all(text, pattern) -%}
regexp_extract_all({{ text }}, '{{ spark_pattern(pattern) }}', 0)
{%- endmacro %}
