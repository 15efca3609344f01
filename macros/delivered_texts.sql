{# Text that was delivered in another form than plain text, and names of people as printed pages have them. #}

{#
    Clean text without mark-up, also out of a list or an object, as Crossref delivers titles and programs save
    paragraphs: of a list its elements, joined by blanks; of an object its `text`, `value` or the like, or else, where
    languages name its fields, the English text or the first. Other text as it is, `[Purpose] We test …` among it.
#}
{% macro plain_text(text) -%}
{%- set of_languages = list_where(
    json_entries('delivered_text'), 'entry', regexp_first('entry.key', '^[a-zA-Z]{2,3}([_-][a-zA-Z]{2,4})?$') ~ " <> ''"
) -%}
{%- set in_english = list_where('translations', 'entry', "lower(substring(entry.key, 1, 2)) = 'en'") -%}
{%- set of_one_language -%}
coalesce(
                {{ list_at(list_map(in_english, 'entry', 'entry.value'), 1) }},
                {{ list_at(list_map('translations', 'entry', 'entry.value'), 1) }}
            )
{%- endset -%}
{%- set names = list_where(
    list_map(bracketed_elements('delivered_text'), 'element', element_name('element')), 'name', 'name is not null'
) -%}
{%- set out_of_list -%}
case
            when {{ regexp_first(text, '^[ \\n]*(?:\\[ *["\\x27{]|\\{ *["\\x27])') }} <> ''
                then {{ named_value(text, 'delivered_text', "coalesce(nullif(" ~ list_join(names, ' ') ~ ", ''), "
                    ~ named_value(of_languages, 'translations', of_one_language) ~ ", delivered_text)") }}
            else {{ text }}
        end
{%- endset -%}
{{ named_value(out_of_list, 'text_alone', clean_markup('text_alone')) }}
{%- endmacro %}


{# An abstract, null where it is its heading alone, sends the reader elsewhere, or is a number. #}
{% macro telling_abstract(text) -%}
{%- set heading = (
    'abstracts?|(extended |graphical )?abstract|summary|introduction|zusammenfassung|kurzfassung|r[éÉ]sum[éÉ]|resumen|resumo'
    ~ '|riassunto|аннотация|реферат|摘 *要|要旨|抄録|초록'
) -%}
{%- set elsewhere = (
    '(please )?(see|click|view|read|open|download|refer to)( here)? (to |for |the |in |as |on )*(view |read |see |download )?(the |full |complete )*'
    ~ '(pdf|abstract|text|full[- ]?text|article|paper|publication|document|website|url|link)( (file|version|below|above|online|here))?'
) -%}
{{ null_if_blank(regexp_replace_all(
    text, '(?i)^(?:[\\[(<]?(?:' ~ heading ~ '|' ~ elsewhere ~ ')[.:\\])>]*|[0-9 .,]*)$', ''
)) }}
{%- endmacro %}


{#
    The name of a person without what a printed page adds: a number before it, marks of footnotes, an address of mail,
    `et al.`, the number by which DBLP tells namesakes apart. A digit alone may belong to the name. Null where it stands
    for nobody, as Anonymous does.
#}
{% macro person_name(name) -%}
{%- set nobody = (
    'anon(ymous|[.])?|unknown( authors?)?|authors? unknown|no authors?( (listed|given|available|named|specified))?|n[.] ?n[.]?|et al[.]?'
    ~ '|(author )?(name )?not (known|named|given|listed)|佚名|匿名|作者不[详詳]|[无無]作者'
) -%}
{%- set added = '^[0-9]{1,2}[.)] +|,? *\\bet al[.]?$| *<[^<>@ ]+@[^<> ]+>$| 0[0-9]{3}$| *[(][0-9, ]+[)]$| *[*†‡§¶#]+$' -%}
{%- set without_digits = regexp_replace_all(name, '(\\p{L}[.]?)[0-9]{1,2}(?:(?:, ?[0-9]{1,2})+[*†‡§¶#]*|[*†‡§¶#]+)$', '\\1') -%}
{{ null_if_blank(regexp_replace_all(
    regexp_replace_all(without_digits, added, ''), '(?i)^[\\[(]?(?:' ~ nobody ~ ')[\\])]?$', ''
)) }}
{%- endmacro %}


{#
    A list of people as plain text, with `;` between them where it is sure that commas and `and` part people: `One A, Two B`
    and `One A., Two B.`; `One, A., Two, B.`; `One, Ada and Two, Bo`; `Ada One and Bo Two`; three and more of at least two words;
    Chinese names, two of them only without a blank between. `Sample, Ada` and `Sample Example, Ada Bo` may be one person and stay.
#}
{% macro people_parted(text) -%}
{%- set word = '\\p{Lu}[\\p{L}.\\x27’-]*' -%}
{%- set words = '(?:(?:de|da|di|del|van|von|der|den|la|le|bin|al|dos|' ~ word ~ ') +){1,3}' ~ word -%}
{%- set initials = '\\p{Lu}{1,3}|(?:\\p{Lu}[.][ -]?){1,3}' -%}
{%- set last = '(?:,? +(?:and|&) +|, *)' -%}
{%- set in_order = '[\\p{L} \\x27’-]+ (?:' ~ initials ~ ')' -%}
{%- set inverted = '[\\p{L} \\x27’-]+, *(?:\\p{Lu}[.][ -]?){1,3}' -%}
{%- set of_several_parts = 'Jr|Sr|II|III|IV|PhD|MD' -%}
case
            when {{ regexp_first(text, '[;|\\[\\]{}"\\n]|\\b(?:' ~ of_several_parts ~ ')\\b') }} <> '' then {{ text }}
            when {{ regexp_first(text, '^ *[㐀-鿿·]{2,4}(?:[,，][㐀-鿿·]{2,4}| *[,，] *[㐀-鿿·]{2,4}(?: *[,，] *[㐀-鿿·]{2,4})+) *$') }} <> ''
                then {{ regexp_replace_all(text, '[,，]', ';') }}
            when {{ regexp_first(text, '^ *' ~ inverted ~ '(?:' ~ last ~ inverted ~ ')+ *$') }} <> ''
                then {{ regexp_replace_all(text, '(\\p{Lu}[.]) *' ~ last, '\\1; ') }}
            when {{ regexp_first(text, '^ *' ~ words ~ ', [^,]+(?: and ' ~ words ~ ', [^,]+)+$|^[^, ]+, [^,]+(?: and [^,]+, [^,]+)+$') }} <> ''
                then replace({{ text }}, ' and ', '; ')
            when
                {{ regexp_first(text, '^ *' ~ in_order ~ '(?:' ~ last ~ in_order ~ ')+[.]? *$') }} <> ''
                or {{ regexp_first(text, '^ *' ~ words ~ '(?: and | & )' ~ words ~ ' *$') }} <> ''
                or {{ regexp_first(text, '^ *' ~ words ~ '(?:' ~ last ~ '(?:et al[.]?|' ~ words ~ ')){2,} *$') }} <> ''
                then {{ regexp_replace_all(text, last, '; ') }}
            else {{ text }}
        end
{%- endmacro %}


{#
    A list of keywords as plain text, without its heading and with `;` between them where commas, bullets or tabs part
    them. Two commas and more part keywords; one may stand in a keyword, as in `Sorting, parallel`.
#}
{% macro keywords_parted(text) -%}
{%- set heading = (
    '(?i)^ *(?:author )?(?:key ?-?words?(?: and phrases)?|index terms|subject terms|schl(?:ü|ue)ssel(?:w(?:ö|oe)rter|begriffe)|stichw(?:ö|oe)rter|mots[ -]cl(?:é|e)s?'
    ~ '|palabras[ -]clave|palavras[ -]chave|parole chiave|ключевые слова|关键词|關鍵詞|关键字|キーワード|키워드|주제어)(?: *[:：] *| +[—–-] +)'
) -%}
{%- set bare = regexp_replace_all(text, heading, '') -%}
{%- set parted -%}
case
                when {{ regexp_first('bare_text', '[;；|、\\[\\]{}"\\n<]') }} <> '' then bare_text
                when {{ regexp_first('bare_text', '\\t| [•·▪] ') }} <> '' then {{ regexp_replace_all('bare_text', '\\t+| [•·▪] ', '; ') }}
                when {{ regexp_first('bare_text', '[,，][^,，]+[,，]') }} <> '' then {{ regexp_replace_all('bare_text', '[,，]', ';') }}
                else bare_text
            end
{%- endset -%}
{{ named_value(bare, 'bare_text', parted) }}
{%- endmacro %}
