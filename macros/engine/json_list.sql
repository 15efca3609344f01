{#
    A list of text, however it was delivered: a JSON list (of text, numbers or objects, whose names are taken), JSON
    text that holds such a list, or text as delivered_elements reads it. `value` is what parse_json gives for a field of
    kind json. Blank elements and placeholders vanish; null and empty lists give null.
#}
{% macro json_list(value, separates_commas=false) -%}
    {{ return(text_list(adapter.dispatch('json_list')(value), separates_commas)) }}
{%- endmacro %}

{% macro default__json_list(value) -%}
json_extract_string({{ value }}, '$')
{%- endmacro %}

{% macro spark__json_list(value) -%}
{{ value }}
{%- endmacro %}
