{#
  SQL of two words as they stand in a text, one after the other: with a blank between them, but without one between words
  of Chinese or Japanese.
#}
{% macro joined_words(word, next_word) -%}
{%- set ends = regexp_first(word, '[' ~ letters_without_blanks() ~ ']$') ~ " <> ''" -%}
{%- set begins = regexp_first(next_word, '^[' ~ letters_without_blanks() ~ ']') ~ " <> ''" -%}
{{ word }} || case when {{ ends }} and {{ begins }} then '' else ' ' end || {{ next_word }}
{%- endmacro %}


{# The letters of languages that put no blanks between words, within the brackets of a pattern. #}
{% macro letters_without_blanks() -%}
    {{ return('々〆ぁ-ヿ㐀-䶿一-鿿豈-﫿') }}
{%- endmacro %}
