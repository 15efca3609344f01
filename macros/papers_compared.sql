{# Text as records of papers are compared by it. #}
{% macro compared_text(text) -%}
{{ normalised_text(in_plain_letters(text)) }}
{%- endmacro %}


{#
    Text in the plain form of each letter, so that letters of full width and of mathematics and ligatures make no
    difference, and with simplified Chinese characters for traditional ones.
#}
{% macro in_plain_letters(text) -%}
{%- set of_several = '[ﬀ-ﬆⅡ-ⅣⅥ-ⅨⅪⅫⅱ-ⅳⅵ-ⅸⅺⅻ]' -%}
{%- set apart -%}
case part
                {%- for letters, variants in {
                    'ff': 'ﬀ', 'fi': 'ﬁ', 'fl': 'ﬂ', 'ffi': 'ﬃ', 'ffl': 'ﬄ', 'st': 'ﬅﬆ', 'ii': 'Ⅱⅱ', 'iii': 'Ⅲⅲ', 'iv': 'Ⅳⅳ',
                    'vi': 'Ⅵⅵ', 'vii': 'Ⅶⅶ', 'viii': 'Ⅷⅷ', 'ix': 'Ⅸⅸ', 'xi': 'Ⅺⅺ', 'xii': 'Ⅻⅻ',
                }.items() %}
                {%- for variant in variants %}
                when '{{ variant }}' then '{{ letters }}'
                {%- endfor %}
                {%- endfor %}
                else part
            end
{%- endset -%}
{%- set parts = regexp_all('given', of_several ~ '|' ~ of_several | replace('[', '[^') ~ '+') -%}
{%- set whole -%}
case
            when {{ regexp_first('given', of_several) }} <> '' then {{ list_join(list_map(parts, 'part', apart), '') }}
            else given
        end
{%- endset -%}
{%- set plain = letters_replaced('given', compatible_letters()) -%}
{{ named_value(
    named_value(named_value(text, 'given', whole), 'given', plain), 'given', letters_replaced('given', simplified_letters())
) }}
{%- endmacro %}


{#
    Compared text without what an umlaut or a letter of its own is written as where keyboards lack it: Müller is Mueller and
    Muller, Ørsted is Oersted and Orsted. Some words lose a vowel by it, in every record alike.
#}
{% macro without_umlauts(text) -%}
{%- set plain = namespace(sql="translate(" ~ text ~ ", 'øłđıð', 'oldid')") -%}
{%- for written, letter in [
    ('ß', 'ss'), ('æ', 'a'), ('œ', 'o'), ('ae', 'a'), ('oe', 'o'), ('ue', 'u'),
] -%}
    {%- set plain.sql = "replace(" ~ plain.sql ~ ", '" ~ written ~ "', '" ~ letter ~ "')" -%}
{%- endfor -%}
{{ plain.sql }}
{%- endmacro %}


{#
    A title as titles are compared: small letters without accents and punctuation, single blanks. `+`, `#` and `&`
    mean something: C, C++ and C# are three languages. Commands of TeX do not. That a paper was retracted does not make
    it another one.
#}
{% macro compared_title(title) -%}
{%- set plain = regexp_replace_all(
    title,
    tex_accents() ~ '|\\\\(text|math)?(rm|it|bf|sf|tt|sc|cal|bb|emph|textrm|textit|mathrm)\\b|[{}$_^]', ''
) -%}
{%- set signs = "replace(replace(replace(translate(" ~ plain ~ ", '＋＃＆', '+#&'), '+', ' plus '), '#', ' sharp '), '&', ' and ')" -%}
trim({{ regexp_replace_all(
    compared_text(signs), '^(retracted (article |chapter |paper )?|withdrawn (article |paper )?)', ''
) }})
{%- endmacro %}


{# How TeX writes accents before their letter, as in Erd\H{o}s and Bal\'azs: a pattern. #}
{% macro tex_accents() -%}
    {{ return('\\\\["\\x27`^~=.]|\\\\[uvHtcdbkr](?:\\{| )') }}
{%- endmacro %}


{#
    What equal titles have in common, of a compared title: blanks tell nothing, `multi-task`, `multi task` and `multitask` are
    one.
#}
{% macro title_key(compared) -%}
{{ without_umlauts("replace(" ~ compared ~ ", ' ', '')") }}
{%- endmacro %}


{#
    What a text is beside another one, read from its compared title: correction, discussion or editorial; null for a work
    of its own. Corrections and discussions name the work that they are about and are not it.
#}
{% macro kind_of_title(compared) -%}
{%- set correction = (
    '^((publisher|author|editorial)s? )?(erratum|errata|corrigendum|corrigenda|correction|corrections|addendum'
    ~ '|retraction|expression of concern|berichtigung)( |$)|(erratum|corrigendum|correction)$'
) -%}
{%- set discussion = (
    '^((a|some|further|author|authors|editor) )?(s )?(comments?|commentary|remarks?|reply|replies|rejoinder|rebuttal'
    ~ '|discussion) (on|to|of|by|from|regarding|s) |^(response|answer) to ((the|some) )?(comments?|letter|review|referee'
    ~ '|editor|discussion)|^(book )?reviews? of |^book reviews?( |$)| (comment|reply|rejoinder|discussion)$'
) -%}
{%- set editorial = (
    '^(guest )?(editorials?|introduction|preface|foreword|afterword|prologue|epilogue|contents|index|conclusions?'
    ~ '|discussion|comments?|reply|rejoinder|response|discussions|letters?|news|announcements?|obituary|abstracts?'
    ~ '|reviewers|appendix|references|bibliography|summary|overview|interview|in memoriam|table of contents'
    ~ '|front matter|back matter|cover|masthead|poster|keynote|tutorial|panel|vorwort|einleitung|inhalt|withdraw|withdrawn)$'
    ~ '|^(guest )?editorial |^(message|letter|note|welcome) from the '
    ~ '|(information|instructions|guidelines) for (authors|contributors)$|^call for (papers|participation)'
) -%}
case
            when {{ regexp_first(compared, correction) }} <> '' then 'correction'
            when {{ regexp_first(compared, discussion) }} <> '' then 'discussion'
            when {{ regexp_first(compared, editorial) }} <> '' then 'editorial'
        end
{%- endmacro %}


{# The part, volume and edition that a compared title names, and the number at its end; blank without any. #}
{% macro parts_of_title(compared) -%}
{%- set number = '([0-9]+|[ivx]+|[a-h]|one|two|three|four|five|first|second|third|fourth)' -%}
{%- set parts = (
    '(part|parts|pt|vol|volume|band|teil|chapter|kapitel|lecture|book|tome|partie) ' ~ number ~ '( |$)'
    ~ '|([0-9]+(st|nd|rd|th)?|first|second|third|fourth|fifth|sixth|revised) (ed|edn|edition|auflage)( |$)'
    ~ '| ([0-9]{1,3}|i|ii|iii|iv|v|vi|vii|viii|ix|x)$|[上中下一二三四五六七八九十]$|第[0-9一二三四五六七八九十]+[部卷章节節回期篇册巻]'
) -%}
{{ list_join(regexp_all(compared, parts), '|') }}
{%- endmacro %}


{# How much a compared title tells, in Latin letters: a letter of Chinese, Japanese or Korean as much as two. #}
{% macro weight_of_title(compared) -%}
2 * length({{ compared }}) - length({{ regexp_replace_all(compared, '[぀-ヿ㐀-鿿가-힯豈-﫿]', '') }})
{%- endmacro %}


{# The words of a compared title or of another text that count; of Chinese, Japanese and Korean the letters. #}
{% macro compared_words(compared) -%}
{{ regexp_all(compared, '[぀-ヿ㐀-鿿가-힯豈-﫿]|[^ ぀-ヿ㐀-鿿가-힯豈-﫿]+') }}
{%- endmacro %}


{#
    The name of a person as names are compared, a struct: `family`, the last word of the family name; `initial`, the
    first letter of the given name; `words`, all words in alphabetical order, for names of which nobody knows which
    part is the family name. Understands `Family, Given`, `Given Family`, `Family GN`, particles (van der Maaten, L.),
    Jr. and III, and names in Chinese, Japanese and Korean letters, which are taken whole.
#}
{% macro compared_name(name) -%}
{%- set whole = regexp_replace_all(name, tex_accents() ~ '|[{}]|,? *\\b(Jr|Sr|II|III|IV)\\b[.]?', '') -%}
{%- set before_comma, after_comma = '^([^,]*[^, ]) *, *(.*)$', '^[^,]*[^, ] *, *(.*)$' -%}
{%- set initials = '^(.*[^ .][^ .]) +((?:[A-Z][.]?[ -]?){1,4}|[a-z][.]?)$' -%}
{%- set family_part = (
    "coalesce(nullif(" ~ regexp_first('person', before_comma, 1) ~ ", ''), nullif("
    ~ regexp_first('person', initials, 1) ~ ", ''), " ~ regexp_first('person', '[^ ]+$') ~ ")"
) -%}
{%- set given_part = (
    "coalesce(nullif(" ~ regexp_first('person', after_comma, 1) ~ ", ''), nullif("
    ~ regexp_first('person', initials, 2) ~ ", ''), " ~ regexp_first('person', '^(.*) [^ ]+$', 1) ~ ")"
) -%}
{%- set of_letters = regexp_first('person', '^[぀-ヿ㐀-鿿가-힯豈-﫿 ,・·]+$') ~ " <> ''" -%}
{%- set joined = regexp_replace_all('person', '[ ,・·]+', '') -%}
{{ named_value(
    in_plain_letters("trim(" ~ regexp_replace_all(whole, "[\\p{Pd}−`´''‘’‛′ʹʻʼʽˈˊˋ＇]", '') ~ ")"), 'person',
    struct({
        'family': "case when " ~ of_letters ~ " then " ~ joined ~ " else "
            ~ regexp_first(without_umlauts(normalised_text(family_part)), '[^ ]+$') ~ " end",
        'initial': "case when " ~ of_letters ~ " then '' else substring(" ~ without_umlauts(normalised_text(given_part))
            ~ ", 1, 1) end",
        'words': list_join(
            list_sorted(regexp_all(without_umlauts(normalised_text('person')), '[^ ]+')), ' '
        ),
    })
) }}
{%- endmacro %}


{#
    Whether a record is of a preprint: by its type, by whom its DOI is registered for, by where it lies. Peer-reviewed
    journals of the same registrants (Genome Research is 10.1101/gr.…) are not.
#}
{% macro is_of_preprint(work_type, arxiv_id, doi, venue) -%}
{%- set registered = (
    '^10[.](48550/|1101/[0-9]|21203/rs|20944/preprints|26434/|31219/|31234/|31235/|36227/techrxiv|2139/ssrn|22541/au'
    ~ '|1002/essoar|7287/peerj[.]preprints|35542/|5194/[a-z]+-20[0-9]{2}-[0-9]+$'
    ~ '|5194/(acp|amt|angeo|bg|cp|dwes|esd|esurf|essd|gi|gmd|hess|ms|nhess|npg|os|se|soil|tc)d-)'
) -%}
{%- set servers = (
    '(arxiv|^corr$|biorxiv|medrxiv|chemrxiv|psyarxiv|socarxiv|techrxiv|ssrn|research square|preprint|openreview|zenodo|hal |discussions$)'
) -%}
coalesce(
            {{ work_type }} in ('preprint', 'posted-content', 'posted content')
            or {{ arxiv_id }} is not null and {{ doi }} is null
            or {{ regexp_first(doi, registered) }} <> ''
            or {{ regexp_first(lower_case(venue), servers) }} <> '',
            false
        )
{%- endmacro %}


{#
    The share of the distinct words of two texts that both have, from 0 to 1 (Jaccard's); of words of four letters and
    more, unless one text has none. Null where one text is missing.
#}
{% macro shared_of_words(words, other) -%}
{%- set is_long = "length(word) > 3 or word > '⺀'" -%}
{%- set lists = struct({
    'words': words, 'others': other,
    'long_words': list_where(words, 'word', is_long), 'long_others': list_where(other, 'word', is_long),
}) -%}
{{ named_value(lists, 'lists', (
    "case when " ~ list_length('lists.long_words') ~ " > 0 and " ~ list_length('lists.long_others') ~ " > 0 then "
    ~ shared_of_lists('lists.long_words', 'lists.long_others')
    ~ " when " ~ list_length('lists.words') ~ " > 0 and " ~ list_length('lists.others') ~ " > 0 then "
    ~ shared_of_lists('lists.words', 'lists.others') ~ " end"
)) }}
{%- endmacro %}


{# The same of two lists that have elements. #}
{% macro shared_of_lists(words, others) -%}
{%- set both = list_length(list_intersection(words, others)) -%}
cast({{ both }} as double)
            / ({{ list_length(list_distinct(words)) }} + {{ list_length(list_distinct(others)) }} - {{ both }})
{%- endmacro %}


{# How many words of three letters and more two lists share, where they are most of those of one list; else 0. #}
{% macro common_words(words, other) -%}
{%- set is_name = "length(word) > 2 or word > '⺀'" -%}
{%- set lists = struct({
    'words': list_distinct(list_where(words, 'word', is_name)),
    'others': list_distinct(list_where(other, 'word', is_name)),
}) -%}
{%- set both = list_length(list_intersection('lists.words', 'lists.others')) -%}
{{ named_value(lists, 'lists', (
    "case when " ~ both ~ " >= 0.6 * least(" ~ list_length('lists.words') ~ ", " ~ list_length('lists.others') ~ ") then "
    ~ both ~ " else 0 end"
)) }}
{%- endmacro %}
