{# A value of a unit test's row as a column's type: dbt's own macro, with lists as Spark writes them. #}
{% macro spark__safe_cast(field, type) -%}
{%- set value = field -%}
{%- if field is iterable and field is not string and field | select('mapping') | list -%}
    {{- return("from_json(" ~ spark_text(tojson(field)) ~ ", " ~ spark_text(type) ~ ")") -}}
{%- elif field is iterable and field is not string -%}
    {%- set elements = field | map('replace', "'", "\\'") | join("', '") -%}
    {%- set value = "array('" ~ elements ~ "')" if field else 'array()' -%}
{%- endif -%}
cast({{ value }} as {{ type }})
{%- endmacro %}
