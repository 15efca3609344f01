{#
    The fields of a JSON object, a list of structs of `key` and `value` (text; objects and lists as JSON) in no order.
    Null where the text is no JSON object, or names a field twice.
#}
{% macro json_entries(text) -%}
    {{ return(adapter.dispatch('json_entries')(text)) }}
{%- endmacro %}

{% macro default__json_entries(text) -%}
case
            when json_valid({{ text }}) and json_type({{ text }}) = 'OBJECT'
                then map_entries(from_json({{ text }}, '"MAP(VARCHAR, VARCHAR)"'))
        end
{%- endmacro %}

{% macro spark__json_entries(text) -%}
map_entries({{ spark_json_value(text, 'map<string,string>') }})
{%- endmacro %}
