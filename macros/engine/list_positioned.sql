{# The elements of a list as structs of `element` and `position`, its place in the list from 1. #}
{% macro list_positioned(list) -%}
    {{ return(adapter.dispatch('list_positioned')(list)) }}
{%- endmacro %}

{% macro default__list_positioned(list) -%}
case
            when {{ list }} is not null
                then list_transform(
                    list_zip({{ list }}, generate_series(1, len({{ list }}))),
                    lambda pair: struct_pack(element := pair[1], position := pair[2])
                )
        end
{%- endmacro %}

{% macro spark__list_positioned(list) -%}
transform({{ list }}, (element, place) -> struct(element as element, place + 1 as position))
{%- endmacro %}
