{# Text as the list of what stands between a separator. #}
{% macro list_split(text, separator) -%}
    {{ return(adapter.dispatch('list_split')(text, separator)) }}
{%- endmacro %}

{% macro default__list_split(text, separator) -%}
string_split({{ text }}, '{{ separator }}')
{%- endmacro %}

{% macro spark__list_split(text, separator) -%}
split({{ text }}, '\\Q{{ separator }}\\E')
{%- endmacro %}
