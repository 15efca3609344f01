{# The type of a list of text. #}
{% macro text_list_type() -%}
    {{ return(adapter.dispatch('text_list_type')()) }}
{%- endmacro %}

{% macro default__text_list_type() -%}string[]{%- endmacro %}

{% macro spark__text_list_type() -%}array<string>{%- endmacro %}
