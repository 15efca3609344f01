{# A struct of columns under their own names, or of expressions by name: `struct({'name': "upper(title)"})`. #}
{% macro struct(fields) -%}
    {{ return(adapter.dispatch('struct')(fields)) }}
{%- endmacro %}

{% macro default__struct(fields) -%}
struct_pack({% for name in fields %}{{ name }} := {{ fields[name] if fields is mapping else name }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{% macro spark__struct(fields) -%}
struct({% for name in fields %}{{ fields[name] ~ ' as ' if fields is mapping }}{{ name }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
