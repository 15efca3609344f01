{# Text as a literal of SQL. #}
{% macro quoted_text(text) -%}
    {{ return(adapter.dispatch('quoted_text')(text)) }}
{%- endmacro %}

{% macro default__quoted_text(text) -%}
'{{ text | replace("'", "''") }}'
{%- endmacro %}

{% macro spark__quoted_text(text) -%}
{{ spark_text(text) }}
{%- endmacro %}
