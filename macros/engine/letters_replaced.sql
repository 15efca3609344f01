{#
    Text with the first letter of each group in the place of the others. DuckDB's translate reads all groups again for each
    text, so that one look comes first; Spark's reads them once.
#}
{% macro letters_replaced(text, groups) -%}
    {{ return(adapter.dispatch('letters_replaced')(text, groups)) }}
{%- endmacro %}

{% macro default__letters_replaced(text, groups) -%}
case
            when {{ regexp_first(text, '[' ~ other_letters(groups) ~ ']') }} <> '' then {{ spark__letters_replaced(text, groups) }}
            else {{ text }}
        end
{%- endmacro %}

{% macro spark__letters_replaced(text, groups) -%}
translate({{ text }}, '{{ other_letters(groups) }}', '{{ first_letters(groups) }}')
{%- endmacro %}

{% macro other_letters(groups) -%}
    {%- for letters in groups -%}{{ letters[1:] }}{%- endfor -%}
{%- endmacro %}

{% macro first_letters(groups) -%}
    {%- for letters in groups -%}{{ letters[0] * (letters | length - 1) }}{%- endfor -%}
{%- endmacro %}
