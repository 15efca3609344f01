{#
    A list of text, however it was delivered: a JSON list (of text or numbers), JSON text that holds such a list, text
    with elements separated by `;`, or one plain value. `value` is JSON text as parse_json gives it for a field of
    kind json. Blank elements vanish; null and empty lists give null.
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
                        when json_type({{ value }}) = 'ARRAY' then from_json({{ value }}, '["VARCHAR"]')
                        when json_valid({{ text }}) and json_type({{ text }}) = 'ARRAY'
                            then from_json({{ text }}, '["VARCHAR"]')
                        else string_split({{ text }}, ';')
                    end,
                    lambda element: trim(element)
                ),
                lambda element: element <> ''
            ),
            []
        )
{%- endmacro %}

{% macro spark__json_list(value) -%}
nullif(
            filter(
                transform(
                    coalesce(
                        from_json({{ value }}, 'array<string>'),
                        split({{ value }}, ';')
                    ),
                    element -> trim(element)
                ),
                element -> element <> ''
            ),
            array()
        )
{%- endmacro %}
