{#
    The elements of a sorted list of text, each with how often it came before: `a, a, b` becomes `a, a#2, b`. Up to the
    fourth; further ones are as the fourth. As a set it says how often each was there. `list` is a column.
#}
{% macro list_numbered(list) -%}
    {{ return(adapter.dispatch('list_numbered')(list)) }}
{%- endmacro %}

{% macro default__list_numbered(list) -%}
list_transform(generate_series(1, len({{ list }})), lambda place: {{ list }}[place] || case
        when place < 2 or {{ list }}[place - 1] <> {{ list }}[place] then ''
        when place < 3 or {{ list }}[place - 2] <> {{ list }}[place] then '#2'
        when place < 4 or {{ list }}[place - 3] <> {{ list }}[place] then '#3'
        else '#4'
    end)
{%- endmacro %}

{% macro spark__list_numbered(list) -%}
transform({{ list }}, (element, place) -> element || case
        when place < 1 or {{ list }}[place - 1] <> element then ''
        when place < 2 or {{ list }}[place - 2] <> element then '#2'
        when place < 3 or {{ list }}[place - 3] <> element then '#3'
        else '#4'
    end)
{%- endmacro %}
