{#
    A country's name in the form in which `country_forms` holds names: lower case, without accents and punctuation,
    `and` for `&`, without the English article at either end. Dots and apostrophes join what they part, as in U.S.A.
#}
{% macro country_form(text) -%}
{%- set joined = "replace(" ~ regexp_replace_all(text, "[.´`ʼ‘’'']", "") ~ ", '&', ' and ')" -%}
{{ regexp_replace_all(normalised_text(joined), '^the | the$', '') }}
{%- endmacro %}


{# Capital letters, each with those of flags and of full width. #}
{% macro flag_letters() -%}
{{ return((
    'A🇦Ａ B🇧Ｂ C🇨Ｃ D🇩Ｄ E🇪Ｅ F🇫Ｆ G🇬Ｇ H🇭Ｈ I🇮Ｉ J🇯Ｊ K🇰Ｋ L🇱Ｌ M🇲Ｍ N🇳Ｎ O🇴Ｏ P🇵Ｐ Q🇶Ｑ R🇷Ｒ S🇸Ｓ T🇹Ｔ U🇺Ｕ V🇻Ｖ W🇼Ｗ X🇽Ｘ'
    ~ ' Y🇾Ｙ Z🇿Ｚ'
).split()) }}
{%- endmacro %}


{#
    The countries of a delivered text, as a list of text: `;`, `|` and line breaks part them. Where a comma stands
    before what belongs to a name (`Korea, Republic of`), a blank takes its place: what is left may part names, too.
    Before USA the letters CA are California's, not Canada's, and Georgia is the state. Flags are letters in other signs.
#}
{% macro country_elements(text) -%}
{%- set word = "[A-Za-z''’.é-]+ " -%}
{%- set ending = "(?:" ~ word ~ "){0,4}(?:[Rr]epublic|[Rr]ep[.]?|[Ss]tates?|[Kk]ingdom|[Pp]rovince) of(?: [Cc]hina| [Tt]he)?" -%}
{%- set in_letters = letters_replaced(text, flag_letters()) -%}
{%- set one_name = regexp_replace_all(
    in_letters, "[,，] *(" ~ ending ~ "|[Tt]he|[Nn]orth|[Ss]outh|[Bb]ritish) *([,/;|，；、]|$)", " \\1\\2"
) -%}
{%- set state = (
    'A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]'
) -%}
{%- set of_states = regexp_replace_all(
    one_name, '(^|[;|；\r\n]) *(?:Georgia|' ~ state ~ '), *(USA|U[.]S[.]A[.]|United States)', '\\1\\2'
) -%}
split({{ regexp_replace_all(of_states, '[;|；\r\n]+', ';') }}, ';')
{%- endmacro %}


{#
    Where the addresses of an affiliation are, as a list of text: of each its last part, which may be a country, and the
    part before it if that tells which part of China. Addresses are parted by `;` and `|`, their parts by commas.
#}
{% macro affiliation_places(affiliation) -%}
{%- set without_mail = regexp_replace_all(affiliation, '([Ee]-?[Mm]ail:? *)?[^ ,;:]+@[^ ,;]+', '') -%}
{%- set addresses = "split(" ~ regexp_replace_all(without_mail, '[;|；\r\n]+', ';') ~ ", ';')" -%}
{%- set last_part = regexp_first(
    regexp_replace_all('address', '[ ,，.]+$', ''), '([^,，]*(Hong ?[Kk]ong|HKSAR|Kowloon|Maca[ou]|Taiwan)[^,，]*[,，])?[^,，]*$'
) -%}
{{ list_where(list_map(addresses, 'address', trimmed(last_part)), 'place', "place <> ''") }}
{%- endmacro %}


{# What the names of one person have in common, however family and given names are ordered: their sorted words. #}
{% macro person_form(name) -%}
{{ list_join(list_sorted("split(" ~ normalised_text(name) ~ ", ' ')"), ' ') }}
{%- endmacro %}
