{# A list of text without elements. #}
{% macro empty_text_list() -%}
    {{ return(adapter.dispatch('empty_text_list')()) }}
{%- endmacro %}

{% macro default__empty_text_list() -%}cast([] as string[]){%- endmacro %}

{% macro spark__empty_text_list() -%}cast(array() as array<string>){%- endmacro %}
