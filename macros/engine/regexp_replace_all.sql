{# Every match of a pattern replaced; `\1` in the replacement is the pattern's first group. #}
{% macro regexp_replace_all(text, pattern, replacement) -%}
    {{ return(adapter.dispatch('regexp_replace_all')(text, pattern, replacement)) }}
{%- endmacro %}

{% macro default__regexp_replace_all(text, pattern, replacement) -%}
regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{% macro spark__regexp_replace_all(text, pattern, replacement) -%}
regexp_replace({{ text }}, '{{ spark_pattern(pattern) }}', '{{ replacement | replace("\\", "$") }}')
{%- endmacro %}
