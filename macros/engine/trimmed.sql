{# Text without blanks at its ends, of whatever width. Spark's trim takes only the common blank. #}
{% macro trimmed(text) -%}
    {{ return(adapter.dispatch('trimmed')(text)) }}
{%- endmacro %}

{% macro default__trimmed(text) -%}
trim({{ text }})
{%- endmacro %}

{% macro spark__trimmed(text) -%}
{%- set blanks = (
    ' \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000'
) -%}
trim(both '{{ blanks }}' from {{ text }})
{%- endmacro %}
