{#
    JSON text read into a typed struct; null where the text is no JSON object.
    `fields` is a dictionary of dictionaries, lists of one element, and the words text, integer, boolean, json and
    positions (a map from word to list of integers, OpenAlex's inverted index). Fields that are not there, or of
    another kind, come out null. Numbers are best read as text and cast with try_cast, so that a bad one is seen.
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
        'positions': 'MAP(VARCHAR, INTEGER[])',
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
from_json({{ text }}, '{{ spark_json_shape(fields, top=true) }}')
{%- endmacro %}

{% macro spark_json_shape(fields, top=false) -%}
    {%- set words = {
        'text': 'string', 'integer': 'bigint', 'boolean': 'boolean', 'json': 'string',
        'positions': 'map<string,array<int>>',
    } -%}
    {%- if fields is mapping -%}
        {{- '' if top else 'struct<' -}}
        {%- for name, shape in fields.items() -%}
            {{- '`' ~ name ~ '`' ~ (' ' if top else ':') ~ spark_json_shape(shape) ~ (',' if not loop.last) -}}
        {%- endfor -%}
        {{- '' if top else '>' -}}
    {%- elif fields is string -%}
        {{- words[fields] -}}
    {%- else -%}
        {{- 'array<' ~ spark_json_shape(fields[0]) ~ '>' -}}
    {%- endif -%}
{%- endmacro %}
