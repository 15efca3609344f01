{# OpenAlex's abstract, rebuilt from the map of each word to its positions. Null or empty gives null. #}
{% macro text_from_inverted_index(positions) -%}
    {{ return(adapter.dispatch('text_from_inverted_index')(positions)) }}
{%- endmacro %}

{% macro default__text_from_inverted_index(positions) -%}
nullif(
            array_to_string(
                list_transform(
                    list_sort(
                        flatten(
                            list_transform(
                                map_entries({{ positions }}),
                                lambda entry: list_transform(
                                    entry.value, lambda place: {'place': place, 'word': entry.key}
                                )
                            )
                        )
                    ),
                    lambda item: item.word
                ),
                ' '
            ),
            ''
        )
{%- endmacro %}

{% macro spark__text_from_inverted_index(positions) -%}
nullif(
            array_join(
                transform(
                    array_sort(
                        flatten(
                            transform(
                                map_entries({{ positions }}),
                                entry -> transform(entry.value, place -> struct(place as place, entry.key as word))
                            )
                        )
                    ),
                    item -> item.word
                ),
                ' '
            ),
            ''
        )
{%- endmacro %}
