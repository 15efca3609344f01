{#
    A code of the IPC or CPC without what spellings add: blanks, `IPC:`, brackets, the edition and its attributes
    (`(2006.01)`, `20060101AFI20180305BHUS`), the signs and zeros that fill places (`G06N-003/08`, `G06N0003/08`,
    `G06N0003080000`). `G06N3/08` in capital letters, or what is left of anything else.
    Last zeros are part of some codes of the CPC (H01L 2924/01020): only those go that fill four or six places, or
    three where the group before them is filled, too, and all in a form of fixed length (C12Q0001688600).
#}
{% macro compact_code(code) -%}
{%- set cleaned = namespace(sql="upper(" ~ clean_text(code) ~ ")") -%}
{%- for pattern in [
    '[(\\[][12][0-9.]+[)\\]]( [A-Z]{1,3}$)?', '^\\[', '^(IPC|CPC|IPCR|INT[.]? ?CL[.]?)([(][0-9]+[)])?-?[0-9]{0,2}[- :]+',
    '[(\\[][^)\\]]*[)\\]]', '[ ·]+(19|20)[0-9]{2}[.][0-9]{2}.*$', ' *(19|20)[0-9]{2}[01][0-9][0-3][0-9] *[A-Z].*$',
    ' (19|20)[0-9]{2}[01][0-9][0-3][0-9]$', '[- _.,;*\\]]+',
] -%}
    {%- set cleaned.sql = regexp_replace_all(cleaned.sql, pattern, '') -%}
{%- endfor -%}
{%- set filled = '^([A-HY][0-9]{2}[A-Z])0*([1-9][0-9]{0,3})/([0-9]{2})(?:00|0000)$' -%}
{%- set filled_twice = '^([A-HY][0-9]{2}[A-Z])0+([1-9][0-9]{0,2})/([0-9]{2})0$' -%}
{%- set without_slash = '^([A-HY][0-9]{2}[A-Z])(0[0-9]{3})([0-9]{2}|[0-9]{4}|[0-9]{6})$' -%}
{%- set parted -%}
case
                when {{ regexp_first('compact', without_slash) }} <> ''
                    then substring(compact, 1, 4) || {{ regexp_replace_all('substring(compact, 5, 4)', '^0+', '') }} || '/'
                        || {{ regexp_replace_all('substring(compact, 9, 6)', '^([0-9]{2}[0-9]*?)0+$', '\\1') }}
                else compact
            end
{%- endset -%}
{%- set plain -%}
case
                {%- for pattern in [filled, filled_twice] %}
                when {{ regexp_first('compact', pattern) }} <> ''
                    then {{ regexp_first('compact', pattern, 1) }} || {{ regexp_first('compact', pattern, 2) }} || '/'
                        || {{ regexp_first('compact', pattern, 3) }}
                {%- endfor %}
                else compact
            end
{%- endset -%}
{{ list_at(list_map(list_map(list_of([cleaned.sql]), 'compact', parted), 'compact', plain), 1) }}
{%- endmacro %}
