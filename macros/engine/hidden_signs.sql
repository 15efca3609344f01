{#
    JSON whose signs that are not allowed have place holders, which no text holds: the backslash of an escape that there
    is not, or of half a character (`\ud83d` without its second half), and NUL. Escapes that are right are set aside first.
#}
{% macro hidden_signs(text) -%}
    {{ return(adapter.dispatch('hidden_signs')(text)) }}
{%- endmacro %}

{% macro default__hidden_signs(text) -%}
{%- set aside = namespace(sql="replace(" ~ text ~ ", '\\\\', '" ~ hidden_sign(3) ~ "')") -%}
{%- for escape in right_escapes() -%}
    {%- set kept = hidden_sign(4) ~ '\\1' ~ (hidden_sign(4) ~ '\\2' if loop.first else '') -%}
    {%- set aside.sql = "regexp_replace(" ~ aside.sql ~ ", '" ~ escape ~ "', '" ~ kept ~ "', 'g')" -%}
{%- endfor -%}
{%- set hidden = "replace(replace(" ~ aside.sql ~ ", '\\', '" ~ hidden_sign(1) ~ "'), chr(0), '" ~ hidden_sign(2) ~ "')" -%}
replace(replace({{ hidden }}, '{{ hidden_sign(3) }}', '\\'), '{{ hidden_sign(4) }}', '\')
{%- endmacro %}

{% macro spark__hidden_signs(text) -%}
{%- set aside = namespace(sql="replace(" ~ text ~ ", '\\\\\\\\', '" ~ hidden_sign(3) ~ "')") -%}
{%- for escape in right_escapes() -%}
    {%- set kept = hidden_sign(4) ~ '$1' ~ (hidden_sign(4) ~ '$2' if loop.first else '') -%}
    {%- set aside.sql = "regexp_replace(" ~ aside.sql ~ ", " ~ spark_text(escape) ~ ", '" ~ kept ~ "')" -%}
{%- endfor -%}
{%- set signs = "'\\\\" ~ hidden_sign(4) ~ "\\u0000', '" ~ hidden_sign(1) ~ "\\\\" ~ hidden_sign(2) ~ "'" -%}
replace(translate({{ aside.sql }}, {{ signs }}), '{{ hidden_sign(3) }}', '\\\\')
{%- endmacro %}

{# The escapes that JSON knows, but of the backslash: first those of a character in two halves. #}
{% macro right_escapes() -%}
    {{ return([
        '\\\\(u[dD][89abAB][0-9a-fA-F]{2})\\\\(u[dD][c-fC-F][0-9a-fA-F]{2})',
        '\\\\(["/bfnrt]|u[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|u[dD][0-7][0-9a-fA-F]{2})',
    ]) }}
{%- endmacro %}

{# One of the characters that Unicode keeps from texts. #}
{% macro hidden_sign(number) -%}
    {{ return(['\ufdd0', '\ufdd1', '\ufdd2', '\ufdd3'][number - 1]) }}
{%- endmacro %}
