{#
    JSON text read into a typed struct; null where the text is no JSON object.
    `fields` is a dictionary of dictionaries, lists of one element, and the words text, integer, boolean and json.
    Fields that are not there, or of another kind, come out null, but an object or a list is also read as text. Numbers
    are best read as text and cast with whole_number, so that a bad one is seen.

    Spark reads through its variant: from_json takes half a record and the rest of a line for a whole one, and gives a
    struct of nulls for none. What remains different: a record that names a field twice, or has a comma before a
    closing bracket, is malformed on Spark; the number 1.0 comes out as the text 1 there and as 1.0 on DuckDB.
#}
{% macro parse_json(text, fields) -%}
    {{ return(adapter.dispatch('parse_json')(text, fields)) }}
{%- endmacro %}

{% macro default__parse_json(text, fields) -%}
case
            when json_valid({{ text }}) and json_type({{ text }}) = 'OBJECT'
                then from_json({{ text }}, '{{ duckdb_json_shape(fields) }}')
        end
{%- endmacro %}

{% macro duckdb_json_shape(fields) -%}
    {%- set words = {
        'text': 'VARCHAR', 'integer': 'BIGINT', 'boolean': 'BOOLEAN', 'json': 'JSON',
    } -%}
    {%- if fields is mapping -%}
        {{- '{' -}}
        {%- for name, shape in fields.items() -%}
            {{- '"' ~ name ~ '":' ~ duckdb_json_shape(shape) ~ (',' if not loop.last) -}}
        {%- endfor -%}
        {{- '}' -}}
    {%- elif fields is string -%}
        {{- '"' ~ words[fields] ~ '"' -}}
    {%- else -%}
        {{- '[' ~ duckdb_json_shape(fields[0]) ~ ']' -}}
    {%- endif -%}
{%- endmacro %}

{% macro spark__parse_json(text, fields) -%}
{{ spark_json_value(text, spark_json_shape(fields)) }}
{%- endmacro %}

{% macro spark_json_shape(fields) -%}
    {%- set words = {
        'text': 'string', 'integer': 'bigint', 'boolean': 'boolean', 'json': 'string',
    } -%}
    {%- if fields is mapping -%}
        {{- 'struct<' -}}
        {%- for name, shape in fields.items() -%}
            {{- '`' ~ name ~ '`:' ~ spark_json_shape(shape) ~ (',' if not loop.last) -}}
        {%- endfor -%}
        {{- '>' -}}
    {%- elif fields is string -%}
        {{- words[fields] -}}
    {%- else -%}
        {{- 'array<' ~ spark_json_shape(fields[0]) ~ '>' -}}
    {%- endif -%}
{%- endmacro %}

{#
    The one value that a JSON text holds, as a type of Spark; null where it is of another kind, or the text is not JSON.
    Read as a list, because the parser stops at the end of a value and would not see what follows it. NaN and Infinity,
    which Python writes and DuckDB reads, are no JSON to Spark: they become text where the record cannot be read without.
#}
{% macro spark_json_value(text, type) -%}
{%- set listed = "'[' || " ~ text ~ " || ']'" -%}
{%- set mended = "regexp_replace(" ~ listed ~ ", '([:,\\\\[] *)(NaN|-?Infinity)(?= *[,}\\\\]])', '$1\"$2\"')" -%}
{%- set values = (
    "try_variant_get(coalesce(try_parse_json(" ~ listed ~ "), try_parse_json(" ~ mended ~ ")), '$', 'array<" ~ type ~ ">')"
) -%}
case when cardinality({{ values }}) = 1 then {{ values }}[0] end
{%- endmacro %}
