{# Aggregate: a column's values as one list, in the order of an integer column. #}
{% macro list_ordered(value, position) -%}
    {{ return(adapter.dispatch('list_ordered')(value, position)) }}
{%- endmacro %}

{% macro default__list_ordered(value, position) -%}
array_agg({{ value }} order by {{ position }})
{%- endmacro %}

{% macro spark__list_ordered(value, position) -%}
transform(
        array_sort(array_agg(struct({{ position }} as position, {{ value }} as value))),
        item -> item.value
    )
{%- endmacro %}
