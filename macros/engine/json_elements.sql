{# The elements of a JSON list as text, objects and lists among them as JSON; null where the text is no JSON list. #}
{% macro json_elements(text) -%}
    {{ return(adapter.dispatch('json_elements')(text)) }}
{%- endmacro %}

{% macro default__json_elements(text) -%}
case
            when json_valid({{ text }}) and json_type({{ text }}) = 'ARRAY' then from_json({{ text }}, '["VARCHAR"]')
        end
{%- endmacro %}

{% macro spark__json_elements(text) -%}
{{ spark_json_value(text, 'array<string>') }}
{%- endmacro %}
