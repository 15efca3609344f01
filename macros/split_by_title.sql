{# A title's letters alone, as some deliver titles without digits and signs: one title has one key everywhere. #}
{% macro letters_of_title(title, document_id) -%}
    coalesce(nullif({{ regexp_replace_all(normalised_text(title), '[^\\p{L}]+', '') }}, ''), {{ document_id }})
{%- endmacro %}

{# Which split documents of a title belong to: seven tenths train, one validates, and two test. #}
{% macro split_of(title_key) -%}
    {%- set tenth = hex_to_bigint('substring(md5(' ~ title_key ~ '), 1, 8)') ~ ' % 10' -%}
    case when {{ tenth }} < 7 then 'train' when {{ tenth }} < 8 then 'validation' else 'test' end
{%- endmacro %}
