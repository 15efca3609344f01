{# Keywords or classes of a document that count for its novelty, the first ones: its pairs grow with their square. #}
{% macro most_nodes() -%}30{%- endmacro %}

{# A number whose sums come out the same in whatever order an engine adds: sums of floating point do not. #}
{% macro exact(number, digits=9) -%}
cast({{ number }} as decimal(18, {{ digits }}))
{%- endmacro %}

{# Documents from a sum of exact weights: three thirds are one document again. None is 0. #}
{% macro counted_documents(weights) -%}
coalesce(round(cast({{ weights }} as double), 6), 0)
{%- endmacro %}

{#
    Aggregate: the value at so many tenths of the way from a group's least value to its greatest, interpolated, from
    values with their rank (from 1) and their number in the group. An engine's own percentile holds all values of all
    groups in memory; ranks, which sorting gives, may lie on disk. Whole numbers place it, so that no rounding moves it.
#}
{% macro interpolated_tenth(tenths, value, rank, number) -%}
{%- set place = "(" ~ tenths ~ " * (" ~ number ~ " - 1))" -%}
{%- set share = "max(mod(" ~ place ~ ", 10)) / 10.0e0" -%}
max(case when {{ rank }} = 1 + floor({{ place }} / 10.0e0) then {{ value }} end) * (1 - {{ share }})
        + coalesce(max(case when {{ rank }} = 2 + floor({{ place }} / 10.0e0) then {{ value }} end) * {{ share }}, 0)
{%- endmacro %}
