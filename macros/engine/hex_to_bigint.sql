{# Hexadecimal digits as a number. #}
{% macro hex_to_bigint(digits) -%}
    {{ return(adapter.dispatch('hex_to_bigint')(digits)) }}
{%- endmacro %}

{% macro default__hex_to_bigint(digits) -%}
cast('0x' || {{ digits }} as bigint)
{%- endmacro %}

{% macro spark__hex_to_bigint(digits) -%}
cast(conv({{ digits }}, 16, 10) as bigint)
{%- endmacro %}
