{#
    One row per element of a list, as a column: `select id, {{ each_of_list('words') }} as word from texts`.
    Where positions matter, `unnest_list` gives them.
#}
{% macro each_of_list(list) -%}
    {{ return(adapter.dispatch('each_of_list')(list)) }}
{%- endmacro %}

{% macro default__each_of_list(list) -%}
unnest({{ list }})
{%- endmacro %}

{% macro spark__each_of_list(list) -%}
explode({{ list }})
{%- endmacro %}
