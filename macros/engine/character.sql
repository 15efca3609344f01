{# The character with a number of Unicode. Not for 0, for halves of characters (from 55296) and above 1114111. #}
{% macro character(number) -%}
    {{ return(adapter.dispatch('character')(number)) }}
{%- endmacro %}

{% macro default__character(number) -%}
chr({{ number }})
{%- endmacro %}

{% macro spark__character(number) -%}
decode(unhex(lpad(hex({{ number }}), 8, '0')), 'utf-32')
{%- endmacro %}
