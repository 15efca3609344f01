{#
    An organisation's name in the form in which names are compared: lower case, without accents and punctuation, `and`
    for `&`, the usual abbreviations in full. Legal forms are still there: int_organisation_names takes them off.
#}
{% macro organisation_form(name) -%}
{%- set narrow = "translate(" ~ name ~ ", 'ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ０１２３４５６７８９．＆'," ~
    " 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.&')" -%}
{%- set without_articles = regexp_replace_all(narrow, "(^|[ (])[DdLl][''’]", "\\1") -%}
{%- set legal_signs = regexp_replace_all(without_articles, '[(（](주|株|有|유|재|사)[)）]|[㈜㈱㈲]', ' ') -%}
{%- set joined = "replace(" ~ regexp_replace_all(legal_signs, "[.´`ʼ‘’'']", "") ~ ", '&', ' and ')" -%}
{%- set words = list_map("split(" ~ normalised_text(joined) ~ ", ' ')", 'word', "case word
            when 'univ' then 'university' when 'inst' then 'institute' when 'natl' then 'national'
            when 'nat' then 'national' when 'lab' then 'laboratory' when 'acad' then 'academy'
            when 'coll' then 'college' when 'hosp' then 'hospital' when 'ctr' then 'center'
            when 'centre' then 'center' when 'intl' then 'international' when 'int' then 'international'
            when 'mfg' then 'manufacturing' when 'dept' then 'department' when 'res' then 'research'
            when 'sci' then 'science' when 'technol' then 'technology' when 'ind' then 'industry' else word
        end") -%}
{{ regexp_replace_all(list_join(words, ' '), '^the ', '') }}
{%- endmacro %}


{# ROR's address of an organisation from any way to write its id; null where it is none. #}
{% macro ror_id(ror) -%}
{%- set id = regexp_first('lower(' ~ ror ~ ')', '(^|ror[.]org/)(0[a-z0-9]+)/?$', 2) -%}
case when {{ id }} <> '' then 'https://ror.org/' || {{ id }} end
{%- endmacro %}


{# The element of a list that holds one; null for any other list. #}
{% macro only_element(list) -%}
case when {{ list_length(list) }} = 1 then {{ list_at(list, 1) }} end
{%- endmacro %}


{# Whether a name has the form of a person's: family name, comma, one to three given names or initials. #}
{% macro is_name_of_person(name) -%}
{{ regexp_first(name, "^[\\p{L}''’-]+( [\\p{L}''’-]+)?, ?\\p{L}[\\p{L}''’.-]*( \\p{L}[\\p{L}''’.-]*){0,2}$") }} <> ''
{%- endmacro %}
