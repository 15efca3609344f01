{# Text trimmed and with single blanks; blank text is null. #}
{% macro clean_text(text) -%}
nullif({{ trimmed(regexp_replace_all(text, '[ \t\r\n\u00a0\u3000]+', ' ')) }}, '')
{%- endmacro %}

{#
    Text without mark-up. Entities become their characters first, because titles hold escaped tags. Tags that stand
    inside words, as in H<sub>2</sub>O, vanish; a blank takes the place of all others (HTML, JATS, MathML), which part
    words. A `<` that opens no tag stays: a tag's name follows at once, and attributes have an equals sign.
#}
{% macro clean_markup(text) -%}
{%- set result = namespace(value=text) -%}
{%- for entity, character in [
    ('&amp;', '&'), ('&lt;', '<'), ('&gt;', '>'), ('&quot;', '"'), ('&#39;', "''"), ('&#8217;', '’'), ('&nbsp;', ' ')
] -%}
    {%- set result.value = "replace(" ~ result.value ~ ", '" ~ entity ~ "', '" ~ character ~ "')" -%}
{%- endfor -%}
{%- set attributes = '( [a-zA-Z][^<>=]*=[^<>]*)? ?/?>' -%}
{%- set inside_words = '</?(jats:)?(i|b|u|em|sub|sup|sc|tt|small|big|strong|span|font|italic|bold|monospace)' -%}
{%- set result.value = regexp_replace_all(result.value, inside_words ~ attributes, '') -%}
{{ clean_text(regexp_replace_all(result.value, '</?[a-zA-Z][a-zA-Z0-9:-]*' ~ attributes, ' ')) }}
{%- endmacro %}

{# Letters and digits only, lower case, without accents, single blanks: what equal titles have in common. #}
{% macro normalised_text(text) -%}
trim({{ regexp_replace_all(lower_case(without_accents(text)), "[^\\p{L}\\p{N}]+", " ") }})
{%- endmacro %}

{# DOI in lower case without the resolver's address or a prefix; null where it is no DOI. #}
{% macro clean_doi(doi) -%}
nullif({{ regexp_first(lower_case(trimmed(doi)), '10[.][0-9]{4,9}/[^ ]+$') }}, '')
{%- endmacro %}

{#
    `US-9824690-B2` from any of `US9824690B2`, `us-9824690-b2`, `US 9,824,690 B2`; null where it is no publication
    number. American applications are printed with seven digits after the year and stored with six by others
    (US 2019/0012345 A1, US-2019012345-A1): the shorter form is kept, so that both are one.
#}
{% macro clean_publication_number(number) -%}
{%- set compact = "upper(" ~ regexp_replace_all(number, "[ ,./]", "") ~ ")" -%}
{%- set pattern = "^([A-Z]{2})-?([A-Z]{0,2}[0-9]+)-?([A-Z][0-9]?)?$" -%}
{%- set office = regexp_first(compact, pattern, 1) -%}
{%- set digits = regexp_first(compact, pattern, 2) -%}
{%- set kind = regexp_first(compact, pattern, 3) -%}
case
            when {{ office }} <> ''
                then {{ office }} || '-'
                    || case
                        when {{ office }} = 'US' and {{ regexp_first(digits, '^20[0-9]{2}0[0-9]{6}$') }} <> ''
                            then substring({{ digits }}, 1, 4) || substring({{ digits }}, 6, 6)
                        else {{ digits }}
                    end
                    || case when {{ kind }} <> '' then '-' || {{ kind }} else '' end
        end
{%- endmacro %}

{# A whole number, also written as 2019.0, as columns with gaps are; null where the text says anything else. #}
{% macro whole_number(text) -%}
try_cast({{ regexp_first(text, '^ *([+-]?[0-9]+)([.]0*)? *$', 1) }} as integer)
{%- endmacro %}

{# The day that a text of the form 2019-03-15 begins with; null where there is none. #}
{% macro date_from_text(text) -%}
try_cast({{ regexp_first(text, '^ *[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') }} as date)
{%- endmacro %}

{# A date delivered as the number 20190315; null where it is 0, no date, or not of an age that documents have. #}
{% macro date_from_number(number) -%}
{%- set digits = "cast(" ~ number ~ " as string)" -%}
{%- set written = (
    "substring(" ~ digits ~ ", 1, 4) || '-' || substring(" ~ digits ~ ", 5, 2) || '-' || substring(" ~ digits ~ ", 7, 2)"
) -%}
case
            when {{ whole_number("substring(" ~ digits ~ ", 1, 4)") }} between {{ var('earliest_year') }}
            and {{ run_started_at.year + 1 }}
                then {{ date_from_text(written) }}
        end
{%- endmacro %}

{# The day that a date in any form names; null where it names none. #}
{% macro clean_date(text) -%}
{{ date_from_text(text) }}
{%- endmacro %}

{# The year of a year or of a date in any form; null where there is none. #}
{% macro clean_year(text) -%}
{{ whole_number(text) }}
{%- endmacro %}

{# Text that says something: clean, and null where it only stands for a missing value, as `nan` and `N/A` do. #}
{% macro clean_value(text) -%}
{{ clean_text(text) }}
{%- endmacro %}

{# Why a record cannot become a document; null where it can. The first reason that holds. #}
{% macro rejection_reason(is_parsed, identifier, title, year, others={}) -%}
case
            when not {{ is_parsed }} then 'malformed_record'
            when {{ identifier }} is null then 'missing_identifier'
            {%- for reason, condition in others.items() %}
            when {{ condition }} then '{{ reason }}'
            {%- endfor %}
            when {{ title }} is null then 'missing_title'
            when
                {{ year }} is not null
                and coalesce(
                    {{ whole_number(year) }} not between {{ var('earliest_year') }}
                    and {{ run_started_at.year + 1 }},
                    true
                ) then 'impossible_year'
        end
{%- endmacro %}
