{#
    Text, null where it is blank. `nullif` would compute what it is given twice wherever an engine does not see that both
    are the same, as within lists: and twice that for each text within a text.
#}
{% macro null_if_blank(text) -%}
{{ list_at(list_map(list_of([text]), 'given', "nullif(given, '')"), 1) }}
{%- endmacro %}

{#
    Text trimmed and with single blanks, without control signs and signs that show nothing (soft hyphens, marks of byte
    order and of direction, blanks of no width); blank text is null. Only what changes is matched: that takes a tenth of
    the time.
#}
{% macro clean_text(text) -%}
{%- set unseen = '[\\x00-\\x08\\x0e-\\x1f\\x7f-\\x84\\x86-\\x9f\\xad\\x{200b}\\x{200e}\\x{200f}\\x{202a}-\\x{202e}\\x{2060}\\x{2066}-\\x{2069}\\x{feff}\\x{fffe}\\x{ffff}]+' -%}
{%- set blanks = '\\t\\n\\x0b\\f\\r\\x85\\xa0\\x{2028}\\x{2029}\\x{3000}' -%}
{%- set to_one_blank = ' *[' ~ blanks ~ '][ ' ~ blanks ~ ']*|  +' -%}
{{ null_if_blank(trimmed(regexp_replace_all(regexp_replace_all(text, unseen, ''), to_one_blank, ' '))) }}
{%- endmacro %}

{#
    Text that says something: clean, and null where it only stands for a missing value, as `nan`, `N/A` and "[No
    abstract available]" do. keeps_na: NA is a value, as the country Namibia is.
#}
{% macro clean_value(text, keeps_na=false) -%}
{{ without_placeholder(clean_text(text), keeps_na) }}
{%- endmacro %}

{#
    Clean text, null where all of it stands for a missing value, as programs write it (nan, \N, #N/A, NaT, (null)), as
    people and publishers do (No abstract available, Resumen no disponible, 暂无摘要), or where it is only punctuation.
#}
{% macro without_placeholder(text, keeps_na=false) -%}
{%- set thing = '(abstract|summary|title|description|keywords?)' -%}
{%- set there = '(available|provided|given|found|supplied|specified|captured|submitted)' -%}
{%- set of_this = '( (for|of|in) th(is|e) [a-z ]+)?([.] please [a-z -]+)?' -%}
{%- set words = [
    '(nan|none|null|nat)([ ,]+(nan|none|null|nat))*', '[-+]nan', 'n ?[/\\\\] ?a', 'n[.] ?a[.]?', 'n/d', '\\\\{1,2}n',
    '#(n/?a( n/a)?|ref!|value!|name[?]|null!|num!|div/0!)', '-?1[.]#(ind|qnan|inf)', 'na_(character|integer|real)_',
    'undefined', 'object object', 'untitled', 'unknown( (author|title|journal|source|venue|institution|affiliation))?', 'tb[ad]', '[\\p{P} |~]+',
    'not (available|applicable|specified|stated|provided|supplied)', 'none (available|given|provided|found)',
    '(' ~ thing ~ '[.:]? )?(there is )?no ' ~ thing ~ '( text)?( (is|was))?( yet)?( ' ~ there ~ ')?' ~ of_this,
    '(an? |the )?' ~ thing ~ '( (is|was))? (not (yet )?' ~ there ~ '|unavailable|missing|withheld)' ~ of_this,
    'th(is|e) [a-z]+ (has no|does not have an?|contains no) ' ~ thing,
    '(sin|sem) (resumen|resumo)', '((resumen|resumo) )?(no|n[ãÃ]o) dispon[iíÍ](ble|vel)',
    '(r[éÉe]sum[éÉe] )?non disponible', 'pas de r[éÉe]sum[éÉe]', 'keine? (abstract|zusammenfassung)( (verf[üÜ]gbar|vorhanden))?',
    'nicht (verf[üÜ]gbar|vorhanden)', '(暂|暫)?[无無](中文|英文)?(摘要)?', '(暂缺|缺)(中文|英文)?摘要', '(中文|英文)?摘要(暂缺|缺失|暂无)', '本文[无無]摘要',
    '(抄録|要旨|要約)(なし|無し|は?(ありません|ない))', '초록 ?없음', '(нет|без) (аннотации|реферата)', '(аннотация|реферат) (отсутствует|недоступн[аы]|нет)',
    'brak (abstraktu|streszczenia)', 'geen (abstract|samenvatting)( beschikbaar)?', '(bez abstraktu|abstrakt nen[íÍ] k dispozici)', '[öÖ]zet (yok|bulunmamaktad[ıI]r)',
] + ([] if keeps_na else ['na']) -%}
{{ null_if_blank(regexp_replace_all(text, '(?i)^([<(]|\\[)*(<na|' ~ words | join('|') ~ ')([>).]|\\])*$', '')) }}
{%- endmacro %}

{#
    Text without mark-up; null where it stands for a missing value. Entities become their characters first, because
    titles hold escaped tags. Tags that stand inside words, as in H<sub>2</sub>O, vanish; a blank takes the place of all
    others (HTML, JATS, MathML), of comments and of what else XML has, which part words. A `<` that opens no tag stays: a
    tag's name follows at once, and attributes have an equals sign. Excel writes a carriage return as _x000D_.
#}
{% macro clean_markup(text, keeps_na=false) -%}
{%- set attributes = '( [a-zA-Z][^<>=]*=[^<>]*)? ?/?>' -%}
{%- set inside_words = '(?i)</?(jats:)?(i|b|u|em|sub|sup|sc|tt|small|big|strong|span|font|italic|bold|monospace)' -%}
{%- set joined = regexp_replace_all(without_entities(text), inside_words ~ attributes, '') -%}
{%- set of_xml = '<!--(?:[^-]|-[^-])*-->|<[?]xml[^<>]*>|<!\\[CDATA\\[|\\]\\]>|_x000[9aAdD]_' -%}
{%- set parted = regexp_replace_all(joined, '</?[a-zA-Z][a-zA-Z0-9:-]*' ~ attributes ~ '|' ~ of_xml, ' ') -%}
{%- set signs = [] -%}
{%- for sign in ['&', '<', '_x000'] -%}
    {%- do signs.append("contains(" ~ text ~ ", '" ~ sign ~ "')") -%}
{%- endfor -%}
{{ clean_value("case when " ~ signs | join(' or ') ~ " then " ~ parted ~ " else " ~ text ~ " end", keeps_na) }}
{%- endmacro %}

{# Text with `;` for its line breaks, which part values in a cell of a spreadsheet. #}
{% macro lines_parted(text) -%}
replace({{ text }}, {{ quoted_text('\n') }}, ';')
{%- endmacro %}

{#
    The name of a person or an organisation where most are clean already: without what stands for a missing one, and
    with the one entity that names hold.
#}
{% macro clean_name(text) -%}
{{ clean_value("replace(" ~ text ~ ", '&amp;', '&')", keeps_na=true) }}
{%- endmacro %}

{# Letters and digits only, lower case, without accents, single blanks: what equal titles have in common. #}
{% macro normalised_text(text) -%}
trim({{ regexp_replace_all(lower_case(without_accents(text)), "[^\\p{L}\\p{N}]+", " ") }})
{%- endmacro %}

{# A whole number, also written as 2019.0, as columns with gaps are; null where the text says anything else. #}
{% macro whole_number(text) -%}
try_cast({{ regexp_first(text, '^ *([+-]?[0-9]+)([.]0*)? *$', 1) }} as integer)
{%- endmacro %}

{# A number of things, which is not below 0. #}
{% macro count_of(text) -%}
{{ named_value(whole_number(text), 'number', 'case when number >= 0 then number end') }}
{%- endmacro %}

{# The day that a text of the form 2019-03-15 begins with; null where there is none. #}
{% macro date_from_text(text) -%}
try_cast({{ regexp_first(text, '^ *[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') }} as date)
{%- endmacro %}

{#
    The day that a date in any form names: 2018-03-05 and what may follow it, 2018/03/05, 2018年3月5日, 20180305 (also with
    .0 or T101112), 05.03.2018, 5 March 2018, Mar 5, 2018, Mon Mar 05 10:11:12 UTC 2018, 13/03/2018 and 03/13/2018; what
    Crossref and Python print, {"date-parts":[[2018,3,5]]} and datetime.date(2018, 3, 5); and seconds or milliseconds
    since 1970, as pandas writes them. Null where it names none: 2018-03, 20181000, 20180229, 03/05/2018 (March or May?), 0, 99991231.
#}
{% macro clean_date(text) -%}
{%- set month = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*' -%}
{%- set day_name = '(?i)^ *(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]* *)?' -%}
{%- set day = '([0-9]{1,2})(?:st|nd|rd|th)?' -%}
{%- set after = '([^0-9]|$)' -%}
{%- set numbers = '^ *([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})' ~ after -%}
{%- set candidates = [
    'try_cast(' ~ regexp_first(text, '^ *([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})' ~ after, 1) ~ ' as date)',
    date_of_parts(text, '^ *([12][0-9]{3})([0-9]{2})([0-9]{2})(?:T?[0-9]{4}|T?[0-9]{6}Z?|T[0-9:.]+Z?)?(?:[.]0*)? *$', 1, 2, 3),
    date_of_parts(
        text, '^(?:[^0-9]*[\\[("\\x27])? *([0-9]{4})[-/._年년,] *([0-9]{1,2})[-/._月월,] *([0-9]{1,2})' ~ after, 1, 2, 3
    ),
    date_of_parts(text, '^ *([0-9]{1,2})[.] *([0-9]{1,2})[.] *([0-9]{4})' ~ after, 3, 2, 1),
    date_of_parts(text, '^ *(1[3-9]|2[0-9]|3[01])[/-]([0-9]{1,2})[/-]([0-9]{4})' ~ after, 3, 2, 1),
    date_of_parts(text, '^ *([0-9]{1,2})[/-](1[3-9]|2[0-9]|3[01])[/-]([0-9]{4})' ~ after, 3, 1, 2),
    'case when ' ~ regexp_first(text, numbers, 1) ~ ' = ' ~ regexp_first(text, numbers, 2) ~ ' then '
    ~ date_of_parts(text, numbers, 3, 2, 1) ~ ' end',
    date_of_parts(text, day_name ~ day ~ '[ .-]+' ~ month ~ '[ .,-]+([0-9]{4})' ~ after, 3, 2, 1, true),
    date_of_parts(
        text, day_name ~ month ~ '[ .-]+' ~ day ~ '(?: +[0-9:]+(?: +[A-Z]+)?)?[ .,-]+([0-9]{4})' ~ after, 3, 1, 2, true
    ),
    date_of_parts(text, '(?i)^ *([0-9]{4})[ .,-]+' ~ month ~ '[ .-]+' ~ day ~ after, 1, 2, 3, true),
    date_since_1970(text),
] -%}
{{ list_at(list_map(
    list_of(['coalesce(' ~ candidates | join(', ') ~ ')']), 'named',
    "case when year(named) between " ~ var('earliest_year') ~ " and " ~ (run_started_at.year + 1) ~ " then named end"
), 1) }}
{%- endmacro %}

{# The date whose year, month and day are the groups of a pattern; null where there is no such day. #}
{% macro date_of_parts(text, pattern, year_group, month_group, day_group, is_month_named=false) -%}
{%- set month = regexp_first(text, pattern, month_group) -%}
{%- if is_month_named -%}
    {%- set place = "instr('janfebmaraprmayjunjulaugsepoctnovdec', nullif(substring(lower(" ~ month ~ "), 1, 3), ''))" -%}
    {%- set month = "cast(cast((" ~ place ~ " + 2) / 3 as integer) as string)" -%}
{%- endif -%}
try_cast(
            {{ regexp_first(text, pattern, year_group) }} || '-' || {{ month }} || '-'
            || {{ regexp_first(text, pattern, day_group) }} as date
        )
{%- endmacro %}

{# The day of a time as the number of seconds (10 digits), milliseconds (11 to 13), micro- or nanoseconds since 1970. #}
{% macro date_since_1970(text) -%}
{%- set digits = "nullif(" ~ regexp_first(
    text, '^ *(-[0-9]{9,13}|[0-9]{10,13}|[0-9]{16}|[0-9]{19})(?:[.]0*)? *$', 1
) ~ ", '')" -%}
{%- set milliseconds = (
    "case when " ~ digits ~ " like '-%' then " ~ digits ~ " when length(" ~ digits ~ ") = 10 then " ~ digits
    ~ " || '000' else substring(" ~ digits ~ ", 1, 13) end"
) -%}
date '1970-01-01' + cast(floor(cast({{ milliseconds }} as bigint) / 86400000) as integer)
{%- endmacro %}

{#
    The year of a year or of a date in any form: 2018, 2018.0, 2018/19, 1,998, c2018, Spring 2018, 20121000 and all that
    clean_date reads. Null where there is none, and for 0 and 9999. It may be one that documents cannot have, as 3018.
#}
{% macro clean_year(text) -%}
{%- set years = [
    regexp_first(text, '^ *([0-9]{4})(?:[^0-9.s]|[.]0*(?: *$|[^0-9])|[.][0-9]{1,2}[.]|$)', 1),
    regexp_first(
        text, '^ *([0-9]{4})(?:0[0-9]|1[0-2])(?:(?:[0-2][0-9]|3[01])(?:T?[0-9]{4}|T?[0-9]{6}Z?|T[0-9:.]+Z?)?)?(?:[.]0*)? *$', 1
    ),
    regexp_replace_all(regexp_first(text, '^ *[12][, \\x{a0}\\x{202f}][0-9]{3} *$'), '[^0-9]+', ''),
    regexp_first(text, '^[^0-9]*(?:[0-9]{1,2}[^0-9]+){0,5}([12][0-9]{3})(?:[^0-9.s]|[.](?:[^0-9]|$)|$)', 1),
] -%}
{%- set known = [] -%}
{%- for year in years -%}
    {%- do known.append("nullif(" ~ year ~ ", '')") -%}
{%- endfor -%}
nullif(nullif(coalesce(
            try_cast(coalesce({{ known | join(', ') }}) as integer), cast(year({{ date_since_1970(text) }}) as integer)
        ), 0), 9999)
{%- endmacro %}

{# Text of a date or a year, null where it stands for a missing one: 0, 0000-00-00, 0001-01-01, 99991231 and the like. #}
{% macro dated_text(text) -%}
{%- set plain = "translate(" ~ clean_value(text) ~ ", '０１２３４５６７８９－／．', '0123456789-/.')" -%}
{{ null_if_blank(regexp_replace_all(plain, '^(0[0 :TZ./+-]*|0001-01-01([T ][0 :TZ./+-]*)?|9999[0-9 :TZ./+-]*)$', '')) }}
{%- endmacro %}

{# Whether a text says yes or no; null where it says neither. #}
{% macro yes_or_no(text) -%}
case
            when lower(trim({{ text }})) in ('true', 't', 'yes', 'y', '1', '1.0') then true
            when lower(trim({{ text }})) in ('false', 'f', 'no', 'n', '0', '0.0') then false
        end
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
                {{ dated_text(year) }} is not null
                and coalesce(
                    {{ clean_year(year) }} not between {{ var('earliest_year') }} and {{ run_started_at.year + 1 }}, true
                ) then 'impossible_year'
        end
{%- endmacro %}
