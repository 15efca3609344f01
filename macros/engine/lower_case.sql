{# Text in lower case, letter by letter. Spark's lower looks at the letters beside a sigma, and keeps the dot of İ. #}
{% macro lower_case(text) -%}
    {{ return(adapter.dispatch('lower_case')(text)) }}
{%- endmacro %}

{% macro default__lower_case(text) -%}
lower({{ text }})
{%- endmacro %}

{% macro spark__lower_case(text) -%}
lower(translate({{ text }}, 'Σİ', 'σi'))
{%- endmacro %}
