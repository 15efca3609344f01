{# The first match of a pattern, or of one of its groups; blank where there is none. #}
{% macro regexp_first(text, pattern, group=0) -%}
    {{ return(adapter.dispatch('regexp_first')(text, pattern, group)) }}
{%- endmacro %}

{% macro default__regexp_first(text, pattern, group) -%}
regexp_extract({{ text }}, '{{ pattern }}', {{ group }})
{%- endmacro %}

{% macro spark__regexp_first(text, pattern, group) -%}
regexp_extract({{ text }}, '{{ spark_pattern(pattern) }}', {{ group }})
{%- endmacro %}

{#
    A pattern as Spark reads it: a backslash in text is an escape and is doubled, `$` at a pattern's end lets a line
    break follow, unlike `\z`, and `(?i)` ignores the case of ASCII alone, unlike `(?iu)`.
#}
{% macro spark_pattern(pattern) -%}
    {%- set pattern = pattern[:-1] ~ '\\z' if pattern.endswith('$') else pattern -%}
    {{- pattern | replace('(?i)', '(?iu)') | replace('\\', '\\\\') -}}
{%- endmacro %}
