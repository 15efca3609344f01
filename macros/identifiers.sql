{#
    An expression that is used more than once, under a name: `{{ named_value('upper(id)', 'id', "id || id") }}`.
    Computed once, where the same text in several places may be computed at each.
#}
{% macro named_value(value, name, expression) -%}
{{ list_map(list_of([value]), name, expression) }}[{{ first_index() }}]
{%- endmacro %}


{#
    DOI in lower case, in the one form that its registration has; null where there is none. Taken out of addresses,
    `doi:`, brackets and quotes; without what an address adds (a query, `#section`, `/abstract`, `.full.pdf`), without
    the punctuation of a sentence, with `%2F`, `&lt;` and BibTeX's `\_` decoded and the hyphens of a printed page as `-`. Old DOIs of the form `(SICI)…3<434::AID-CNCR12>3.0.CO;2-V` keep
    their brackets and semicolons.
#}
{% macro clean_doi(doi) -%}
{%- set decoded = namespace(value=lower_case(doi)) -%}
{%- for code, character in {
    '%25': '%', '%2f': '/', '%3a': ':', '%28': '(', '%29': ')', '%3c': '<', '%3e': '>', '%3b': ';',
    '&amp;': '&', '\\_': '_', '&lt;': '<', '&gt;': '>', '\u2010': '-', '\u2011': '-', '\u2013': '-',
}.items() -%}
    {%- set decoded.value = "replace(" ~ decoded.value ~ ", " ~ quoted_text(code) ~ ", '" ~ character ~ "')" -%}
{%- endfor -%}
{%- set found = regexp_first(
    'written', '10[.][0-9]{4,9}([.][0-9]+)*/[^ \t\r\n\u00a0\u200b?#"\u201c\u201d\u2026]+'
) -%}
{%- set is_old = regexp_first('found', '[0-9]<[0-9]+::') ~ " <> ''" -%}
{%- set of_address = (
    '(&[a-z_]+=.*|/(abstract|full|fulltext|full-text|pdf|epdf|pdfdirect|html|xml|meta|summary|references|citations?'
    ~ '|figures|tables|related|metrics|download|reader)([/.].*)?'
    ~ '|[.](full|abstract|short|article-info|full-text|pdf|html?|epub)([.](pdf|html?))*|\\[(doi|pii)\\])$'
) -%}
{%- set closed = (
    "case when length(replace(named, '(', '')) > length(replace(named, ')', '')) then "
    ~ regexp_replace_all('named', '[)\\]]+[.,;:]*$', '') ~ " else named end"
) -%}
nullif(
            case
                when position('10.' in {{ doi }}) > 0
                    then {{ named_value(
                        decoded.value, 'written', named_value(
                            found, 'found', named_value(
                                regexp_replace_all(
                                    regexp_replace_all(
                                        "case when " ~ is_old ~ " then found else "
                                        ~ regexp_first('found', '^[^;<>|]+') ~ " end",
                                        of_address, ''
                                    ),
                                    "[.,;:/\\]}`''\u2019]+$", ''
                                ),
                                'named', closed
                            )
                        )
                    ) }}
            end,
            ''
        )
{%- endmacro %}


{#
    What versions of one work have in common in their DOIs: the DOI without `v2`, `.v2`, `/v1`, and without the last
    number of F1000's and ESSOAr's. Null for arXiv's, which are compared as ids of arXiv.
#}
{% macro doi_without_version(doi) -%}
case
            when position('10.48550/arxiv' in {{ doi }}) = 1 then null
            when {{ regexp_first(doi, '^10[.](12688/|1002/essoar[.])') }} <> ''
                then {{ regexp_replace_all(doi, '[.][0-9]{1,2}$', '') }}
            else {{ regexp_replace_all(doi, '([./_-]?v[0-9]{1,2}|[-/]discussions?)$', '') }}
        end
{%- endmacro %}


{#
    `1705.06391` or `hep-th/9901001` from an id of arXiv in any form: with or without a prefix, version,
    class (`math.GT/0309136`), as an address or as the DOI 10.48550/arXiv.…; null for anything else. Numbers have four
    digits until 2014 and five since, so that ids that were read as decimals (1901.1) are none.
#}
{% macro clean_arxiv_id(text) -%}
{%- set before = (
    '^(?:(?:https?://)?(?:[a-z]+[.])?arxiv[.]org/(?:abs|pdf|html|ps|format)/|(?:https?://(?:dx[.])?doi[.]org/|doi: ?)?10[.]48550/arxiv[.:/]'
    ~ '|(?:oai:)?arxiv(?:[.]org)?[: ] ?)?'
) -%}
{%- set after = '(?:v[0-9]+)?(?:[.]pdf)?(?: *\\[[a-z. -]+\\])?(?:[?#].*)?$' -%}
{%- set new_number = '(?:0[7-9]|1[0-4])(?:0[1-9]|1[0-2])[.][0-9]{4}|(?:1[5-9]|[2-9][0-9])(?:0[1-9]|1[0-2])[.][0-9]{5}' -%}
{%- set archives = (
    'astro-ph|cond-mat|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math-ph|math|nlin|nucl-ex|nucl-th|physics|quant-ph|cs|q-bio'
    ~ '|q-fin|stat|acc-phys|adap-org|alg-geom|ao-sci|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|dg-ga|funct-an'
    ~ '|mtrl-th|patt-sol|plasm-ph|q-alg|solv-int|supr-con'
) -%}
{%- set new_form = before ~ '(' ~ new_number ~ ')' ~ after -%}
{%- set old_form = before ~ '(' ~ archives ~ ')(?:[.][a-z-]+)?/([0-9]{7})' ~ after -%}
case
            when {{ regexp_first(text, '[0-9]{4}[.]?[0-9]{3}') }} <> ''
                then {{ named_value(lower_case(trimmed(text)), 'written', (
                    "coalesce(nullif(" ~ regexp_first('written', new_form, 1) ~ ", ''), nullif("
                    ~ regexp_first('written', old_form, 1) ~ " || '/' || " ~ regexp_first('written', old_form, 2)
                    ~ ", '/'))"
                )) }}
        end
{%- endmacro %}


{# `W2741809807` from an id of OpenAlex with its letter, alone or in an address; null for anything else. #}
{% macro clean_openalex_id(text) -%}
'W' || nullif({{ regexp_first(
    text, '^(?:(?:https?://)?(?:[a-z]+[.])?openalex[.]org/|openalex:)?(?:works/)?[Ww]([0-9]+)$', 1
) }}, '')
{%- endmacro %}


{#
    `US-9824690-B2` from any of `US9824690B2`, `us-9824690-b2`, `US 9,824,690 B2`; null where it is no publication
    number. All spellings of one publication give one form; docs/methods/identity.md lists what is brought together.
#}
{% macro clean_publication_number(number) -%}
{%- set address = (
    '^(?:https?://)?(?:www[.])?(?:patents[.]google[.]com|google[.]com/patents)/(?:patent/)?|^(?:docdb|epodoc):|/[a-z]{2}(?:[/?#].*)?$|[?#].*$'
) -%}
{#- An application's number with its check digit, EP18123456.5, is no publication's. -#}
{%- set of_application = '[0-9]{6}[.][0-9xX]$|^ *ZL' -%}
{%- set compact = "upper(" ~ regexp_replace_all(
    regexp_replace_all(regexp_replace_all(number, address, ''), '[\u2010-\u2015\u2212_:|]', '-'),
    '[ \u00a0,.()]', ''
) ~ ")" -%}
{%- set of_india = '[0-9]{4}[A-Z]{2}[0-9]{3,5}|[0-9]+/?(?:DE|CH|MU|KO)[A-Z]{1,3}/?[0-9]{4}' -%}
{%- set forms = [
    '^(SG)-?([0-9]{10,11}[A-Z])A??-?([A-Z][0-9]?)?$',
    '^([A-Z]{2})-([A-Z0-9/]*[0-9][A-Z0-9/]*)-([A-Z][0-9]?)$',
    '^([A-Z]{2})[-/]?(' ~ of_india ~ '|[A-Z]{0,3}[0-9]+(?:[-/][0-9]+)*)[-/]?([A-Z][0-9]?)?$',
] -%}
{%- set parts = {} -%}
{%- for name in ['office', 'digits', 'kind'] -%}
    {%- set group = loop.index -%}
    {%- set found = [] -%}
    {%- for form in forms -%}
        {%- do found.append("nullif(" ~ regexp_first('compact', form, group) ~ ", '')") -%}
    {%- endfor -%}
    {%- do parts.update({name: "coalesce(" ~ found | join(', ') ~ ")"}) -%}
{%- endfor -%}
{%- set kind = (
    "case when parts.office = 'US' and parts.kind = 'S' then '-S1' else coalesce('-' || parts.kind, '') end"
) -%}
{#- Most numbers of Google Patents are in that form already, and nothing need be taken apart. -#}
{%- set as_it_is = '^([A-VX-Z][A-Z]-[1-9][0-9]{4,8}-[A-RT-Z][0-9]?|US-20[0-9]{8}-[A-Z][0-9])$' -%}
case
            when {{ regexp_first(number, as_it_is) }} <> '' then {{ number }}
            when {{ regexp_first(number, of_application) }} <> '' then null
            else {{ named_value(compact, 'compact', named_value(
                struct(parts), 'parts',
                "parts.office || '-' || " ~ number_at_office('parts.office', 'parts.digits') ~ " || " ~ kind
            )) }}
        end
{%- endmacro %}


{# The number of a publication in the one form of its office. #}
{% macro number_at_office(office, digits) -%}
{%- set plain = "replace(replace(" ~ digits ~ ", '-', ''), '/', '')" -%}
case
            when {{ office }} = 'US'
                then {{ number_of_united_states(plain) }}
            when {{ office }} = 'WO'
                then {{ number_of_wipo(digits) }}
            when {{ office }} = 'JP' and {{ regexp_first(digits, '^WO') }} <> ''
                then 'WO' || {{ number_of_wipo("substring(" ~ digits ~ ", 3, 100)") }}
            when {{ office }} = 'JP'
                then {{ number_of_japan(digits) }}
            when {{ office }} = 'KR' and {{ regexp_first(plain, '^[1-4]0(19|20)[0-9]{9}$') }} <> ''
                then substring({{ plain }}, 3, 11)
            when {{ office }} = 'BR' and {{ regexp_first(plain, '^[123][0-9]20[0-9]{9}$') }} <> ''
                then substring({{ plain }}, 1, 12)
            when {{ office }} = 'IN' then {{ number_of_india(digits) }}
            when {{ regexp_first(plain, '^0+[0-9]') }} <> ''
                then {{ regexp_replace_all(plain, '^0+', '') }}
            else {{ plain }}
        end
{%- endmacro %}


{#
    Applications are printed with seven digits after the year and stored with six by others (US 2019/0012345 A1,
    US-2019012345-A1): the shorter form is kept. Grants, designs (D), plants (PP), reissues (RE) and others lose the
    noughts in front.
#}
{% macro number_of_united_states(plain) -%}
case
                    when {{ regexp_first(plain, '^(19|20)[0-9]{2}0[0-9]{6}$') }} <> ''
                        then substring({{ plain }}, 1, 4) || substring({{ plain }}, 6, 6)
                    else
                        {{ regexp_first(plain, '^[A-Z]*') }}
                        || {{ regexp_first(plain, '^[A-Z]*0*([0-9]+)$', 1) }}
                end
{%- endmacro %}


{#
    Year with four digits and number with six: WO 99/12345, WO9912345, WO 02/055555, WO1999012345. Two digits stand for
    1978 to 2004, and for later years before six; any others are a number that lost its first nought (WO3065179 for
    WO03065179).
#}
{% macro number_of_wipo(digits) -%}
{%- set long_form = '^((19|20)[0-9]{2})[-/]?([0-9]{5,6})$' -%}
{%- set written = "case when " ~ regexp_first(digits, '^(7[89]|[89][0-9]|0|[1-4][0-9][-/]?[0-9]{6}$)') ~ " = '' then '0' || " ~ digits
    ~ " else " ~ digits ~ " end" -%}
{%- set short_form = '^([0-9]{2})[-/]?([0-9]{5,6})$' -%}
{%- set short_year = regexp_first(written, short_form, 1) -%}
case
                    when {{ regexp_first(digits, long_form) }} <> ''
                        then {{ regexp_first(digits, long_form, 1) }}
                            || lpad({{ regexp_first(digits, long_form, 3) }}, 6, '0')
                    when {{ short_year }} <> ''
                        then case when {{ short_year }} >= '78' then '19' else '20' end
                            || {{ short_year }} || lpad({{ regexp_first(written, short_form, 2) }}, 6, '0')
                    else replace(replace({{ digits }}, '-', ''), '/', '')
                end
{%- endmacro %}


{#
    Years of an era (S, H, R) with two digits and the number without noughts in front, as H05-012345 and H0512345;
    since 2000 the year with four digits and the number with six (2018-1234, 2018001234).
#}
{% macro number_of_japan(digits) -%}
{%- set era_parted = '^([SHRT])([0-9]{1,2})[-/]0*([0-9]+)$' -%}
{%- set era_joined = '^([SHRT][0-9]{2})0*([0-9]{1,6})$' -%}
{%- set year_parted = '^((19|20)[0-9]{2})[-/]([0-9]{1,6})$' -%}
case
                    when {{ regexp_first(digits, era_parted) }} <> ''
                        then {{ regexp_first(digits, era_parted, 1) }}
                            || lpad({{ regexp_first(digits, era_parted, 2) }}, 2, '0')
                            || {{ regexp_first(digits, era_parted, 3) }}
                    when {{ regexp_first(digits, era_joined) }} <> ''
                        then {{ regexp_first(digits, era_joined, 1) }} || {{ regexp_first(digits, era_joined, 2) }}
                    when {{ regexp_first(digits, year_parted) }} <> ''
                        then {{ regexp_first(digits, year_parted, 1) }}
                            || lpad({{ regexp_first(digits, year_parted, 3) }}, 6, '0')
                    else {{ regexp_replace_all("replace(replace(" ~ digits ~ ", '-', ''), '/', '')", '^0+', '') }}
                end
{%- endmacro %}


{#
    `2014DN09900` of 9900/DELNP/2014 and of 9900DEN2014: the offices of Delhi, Mumbai, Kolkata and Chennai; NP, from
    a PCT application, is N.
#}
{% macro number_of_india(digits) -%}
{%- set form = '^([0-9]+)/?(DE|CH|MU|KO)(L|E|M|N|LNP|ENP|MNP)/?([0-9]{4})$' -%}
{%- set place = regexp_first(digits, form, 2) -%}
case
                    when {{ place }} <> ''
                        then {{ regexp_first(digits, form, 4) }}
                            || case
                                when {{ regexp_first(digits, form, 3) }} in ('N', 'LNP', 'ENP', 'MNP')
                                    then substring({{ place }}, 1, 1) || 'N'
                                else {{ place }}
                            end
                            || lpad({{ regexp_first(digits, form, 1) }}, 5, '0')
                    else replace(replace({{ digits }}, '-', ''), '/', '')
                end
{%- endmacro %}
