{# The inner product of two vectors of one length. #}
{% macro inner_product(a, b) -%}
    {{ return(adapter.dispatch('inner_product')(a, b)) }}
{%- endmacro %}

{% macro default__inner_product(a, b) -%}
list_inner_product({{ a }}, {{ b }})
{%- endmacro %}

{% macro spark__inner_product(a, b) -%}
aggregate(
    zip_with({{ a }}, {{ b }}, (x, y) -> cast(x as double) * y), cast(0 as double), (total, x) -> total + x
)
{%- endmacro %}
