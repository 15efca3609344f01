{# The first value of a column that is not null, in the order of a window that is named in the same select. #}
{% macro first_known(column, window) -%}
    {{ return(adapter.dispatch('first_known')(column, window)) }}
{%- endmacro %}

{% macro default__first_known(column, window) -%}
first_value({{ column }} ignore nulls) over {{ window }}
{%- endmacro %}

{% macro spark__first_known(column, window) -%}
first_value({{ column }}) ignore nulls over {{ window }}
{%- endmacro %}
