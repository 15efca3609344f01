{#
    A list of text, however it was delivered: a JSON list (of text or numbers), JSON text that holds such a list, text
    with elements separated by `;`, or one plain value. `value` is what parse_json gives for a field of kind json.
    Blank elements vanish; null and empty lists give null.
#}
{% macro json_list(value) -%}
    {{ return(adapter.dispatch('json_list')(value)) }}
{%- endmacro %}

{% macro default__json_list(value) -%}
{%- set text = "replace(json_extract_string(" ~ value ~ ", '$'), '&amp;', '&')" -%}
nullif(
            list_filter(
                list_transform(
                    case
                        when json_valid({{ text }}) and json_type({{ text }}) = 'ARRAY'
                            then from_json({{ text }}, '["VARCHAR"]')
                        else string_split({{ text }}, ';')
                    end,
                    lambda element: {{ trimmed('element') }}
                ),
                lambda element: element <> ''
            ),
            []
        )
{%- endmacro %}

{% macro spark__json_list(value) -%}
{%- set text = "replace(" ~ value ~ ", '&amp;', '&')" -%}
nullif(
            filter(
                transform(
                    coalesce({{ spark_json_value(text, 'array<string>') }}, split({{ text }}, ';')),
                    element -> {{ trimmed('element') }}
                ),
                element -> element <> ''
            ),
            array()
        )
{%- endmacro %}
