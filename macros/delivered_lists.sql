{# The names of a list delivered as text, as json_list gives them. #}
{% macro text_list(text, separates_commas=false) -%}
{{ none_if_empty(list_where(
    list_map(delivered_elements(text, separates_commas), 'element', element_name('element')),
    'element', 'element is not null'
)) }}
{%- endmacro %}


{# A list, null where it has no element. #}
{% macro none_if_empty(list) -%}
{{ list_at(list_where(list_of([list]), 'whole_list', list_length('whole_list') ~ ' > 0'), 1) }}
{%- endmacro %}


{#
    The elements of a list delivered as text, in order, blank ones and nulls among them; objects stay JSON. Read are

        JSON                  ["a", "b"], [{"name": "a"}], lists within a list, BigQuery's {"list": [{"element": "a"}]}
        Python and numpy      ['a', "b"], ('a', 'b'), [{'name': 'a'}], ['a' 'b'], array(['a'], dtype=object), {'a'}
        R                     c("a", "b"), list("a", "b")
        PostgreSQL            {a,"b c"}
        quoted text           "a", "b"
        separated text        a; b and a | b and a、b, or a and b on lines of their own; also within brackets: [a; b]

    Scores beside the elements of inner lists are left out: [["a", 0.9]]. Null where the text begins as such a list and
    is none, and for [a, b] and Spark's WrappedArray(a, b): one name or two? A comma separates plain text only if
    `separates_commas`, as in lists of codes, because names hold commas: Sample, Ada. `keeps_lists`: a list within the list
    stays an element, as JSON, which without_wrappers takes apart.
#}
{% macro delivered_elements(text, separates_commas=false, keeps_lists=false) -%}
{%- set of_program = (
    '(?:c|list|set|frozenset|deque|tuple|character|logical|(?:np[.]|pd[.])?(?:array|Index|Series))[(]'
) -%}
{%- set of_spark = '(?:WrappedArray|ArraySeq|ArrayBuffer|Array|List|Vector|Row)[(]' -%}
{%- set is_begun = regexp_first(
    text,
    '^[ \\n]*([\\[(] *(?:[\\[{"\\x27]|[uUbB]\\x27|np[.]|' ~ of_spark ~ '|' ~ of_program ~ ')|\\{ *["\\x27]|' ~ of_program ~ '|'
    ~ of_spark ~ ')'
) ~ " <> ''" -%}
{%- set inner = regexp_first(text, '^[ \\n]*\\[([^\\[\\]"]*)\\][ \\n]*$', 1) -%}
{#- Quotes may be escaped, as in [&quot;a&quot;]. -#}
{%- set escaped = (
    "case when " ~ regexp_first(text, '^[ \\n]*[\\[{(] *&(?:quot|#39|#x27);') ~ " <> '' then replace(replace(replace("
    ~ text ~ ", '&quot;', '\"'), '&#x27;', '&#39;'), '&#39;', " ~ quoted_text("'") ~ ") else " ~ text ~ " end"
) -%}
{%- set elements = without_wrappers(bracketed_elements('bracketed'), keeps_lists) -%}
{%- set is_unclear = regexp_first(text, '^[ \\n]*\\[[^\\[\\];|]*,[^\\[\\];|]*\\][ \\n]*$') ~ " <> ''" -%}
coalesce(
            case
                when {{ regexp_first(text, '^[ \\n]*(?:[\\[{("\\x27]|' ~ of_program ~ ')') }} <> ''
                    then {{ list_at(list_map(list_of([escaped]), 'bracketed', elements), 1) }}
            end,
            case
                when not ({{ is_begun }}{{ ' or ' ~ is_unclear if not separates_commas }})
                    then {{ separated_elements("coalesce(nullif(" ~ inner ~ ", ''), " ~ text ~ ")", separates_commas) }}
            end
        )
{%- endmacro %}


{# The elements of text that begins with a bracket or a quote; null where it is no list. #}
{% macro bracketed_elements(text) -%}
{%- set array = regexp_first(
    text, '(?s)^[ \\n]*(?:[a-z]+|(?:np[.]|pd[.])?(?:array|Index|Series))[(]([\\[{(].*[\\]})])(?:, *[a-z]+=.*)?[)][ \\n]*$', 1
) -%}
{%- set of_r = regexp_first(text, '(?s)^[ \\n]*(?:c|list)[(]( *["\\x27].*["\\x27] *)[)][ \\n]*$', 1) -%}
{%- set quoted = regexp_first(text, '(?s)^[ \\n]*["\\x27].*["\\x27][ \\n]*$') -%}
{%- set listed = (
    "coalesce(nullif(" ~ array ~ ", ''), '[' || nullif(" ~ of_r ~ ", '') || ']', case when " ~ quoted ~ " <> '' then '[' || " ~ text ~ " || ']' else "
    ~ text ~ " end)"
) -%}
{%- set of_python -%}
coalesce(
                        {{ json_elements('python') }},
                        case when {{ json_entries('python') }} is not null then {{ list_of(['python']) }} end
                    )
{%- endset -%}
{%- set elements -%}
coalesce(
                    {{ json_elements('listed') }},
                    case when {{ json_entries(text) }} is not null then {{ list_of([text]) }} end,
                    {{ list_at(list_map(list_of([json_of_python('listed')]), 'python', of_python), 1) }},
                    case
                        when {{ regexp_first(text, '(?s)^[ \\n]*\\{.*\\}[ \\n]*$') }} <> ''
                            then {{ postgres_elements(text) }}
                    end
                )
{%- endset -%}
{{ list_at(list_map(list_of([listed]), 'listed', elements), 1) }}
{%- endmacro %}


{#
    What Python prints of a list or a dictionary, as JSON: strings in double quotes, None as null, tuples as lists. Where
    nothing but blanks stands between strings, as in what numpy prints, a comma takes its place.
#}
{% macro json_of_python(text) -%}
{%- set string = '\\x27(?:[^\\x27\\\\]|\\\\.)*\\x27|"(?:[^"\\\\]|\\\\.)*"' -%}
{%- set inner = namespace(sql="substring(token, 2, length(token) - 2)") -%}
{%- for python, json in [("\\'", "'"), ('"', '\\"'), ('\\x', '\\u00')] -%}
    {%- set inner.sql = "replace(" ~ inner.sql ~ ", " ~ quoted_text(python) ~ ", " ~ quoted_text(json) ~ ")" -%}
{%- endfor -%}
{%- set outer = namespace(sql="translate(token, '()', '[]')") -%}
{%- for pattern, json in [
    ('[uUbB]$', ''), (',? *dtype=[^)]*[)]', ''), ('\\b(np[.]|pd[.])?(array|Index)[(]', ''), ('\\bnp[.][a-z0-9_]+', ''),
    ('\\}[ \\n]+\\{', '},{'), ('\\][ \\n]+\\[', '],['), ('\\b(None|nan|NaN|NaT|NULL)\\b|<NA>', 'null'), ('\\bTrue\\b', 'true'), ('\\bFalse\\b', 'false'),
    (',[ \\n]*\\]', ']'),
] -%}
    {%- set outer.sql = regexp_replace_all(outer.sql, pattern, json) -%}
{%- endfor -%}
{%- set json -%}
case
                            when substring(token, 1, 1) = '"' then token
                            when substring(token, 1, 1) = {{ quoted_text("'") }} then '"' || {{ inner.sql }} || '"'
                            when {{ regexp_first('token', '^[ \\n]+$') }} <> '' then ','
                            else {{ outer.sql }}
                        end
{%- endset -%}
{{ list_join(list_map(regexp_all(text, string ~ '|[^\\x27"]+'), 'token', json), '') }}
{%- endmacro %}


{# The elements of an array as PostgreSQL prints it, of a set as Python does. #}
{% macro postgres_elements(text) -%}
{%- set pattern = '"(?:[^"\\\\]|\\\\.)*"|[^,{}"]+' -%}
{%- set unquoted -%}
replace(replace(
                                coalesce(nullif({{ regexp_first('trim(token)', '(?s)^["\\x27](.*)["\\x27]$', 1) }}, ''), token),
                                {{ quoted_text('\\"') }}, '"'
                            ), {{ quoted_text('\\\\') }}, {{ quoted_text('\\') }})
{%- endset -%}
{{ list_map(list_where(regexp_all(text, pattern), 'token', "trim(token) <> ''"), 'token', unquoted) }}
{%- endmacro %}


{# The elements of plain text, by the first separator of `;`, `|` and the line break that it holds. #}
{% macro separated_elements(text, separates_commas) -%}
{#- Codes that stand one after another: G06N3/08 G06N5/04. -#}
{%- set code_then_code = (
    '(/[0-9]{2,6}(?: *[(\\[][^()\\[\\]]*[)\\]])?)[ +/:&]+(and +)?([A-HY][0-9]{2}[A-Z][ 0]*[0-9]{1,4}/)'
) -%}
{%- set unquoted = "coalesce(nullif(" ~ regexp_first('token', '^ *"([^"]*)" *$', 1) ~ ", ''), token)" -%}
{%- set chosen -%}
case
                        {%- if separates_commas %}
                        when true then {{ regexp_all(
                            regexp_replace_all(
                                regexp_replace_all('plain', '\\b(INV|ADD)[.]', ';'), code_then_code, '\\1;\\3'
                            ), '(?:[(][^()]*[)]|\\[[^\\[\\]]*\\]|[^;；|,\\n])+'
                        ) }}
                        {%- endif %}
                        when contains(plain, ';') or contains(plain, '；') or contains(plain, '、')
                            then {{ regexp_all("replace(plain, ';', ' ; ')", '[^;；、]+') }}
                        when contains(plain, '|') and {{ regexp_first('plain', '[(][^)]*[|][^(]*[)]') }} = '' then {{ regexp_all("replace(plain, '|', ' | ')", '[^|]+') }}
                        else {{ regexp_all('plain', '[^\\n\\r]+') }}
                    end
{%- endset -%}
{#- Mark-up that ends an element, as of JATS. -#}
{%- set without_tags = (
    "case when contains(decoded, '<') then " ~ regexp_replace_all('decoded', '(?i)<br */?>|</(kwd|li|p|item|keyword|subject)>', ';')
    ~ " else decoded end"
) -%}
{%- set plain = list_map(list_of([without_entities(text)]), 'decoded', without_tags) -%}
{{ list_map(list_at(list_map(plain, 'plain', chosen), 1), 'token', unquoted) }}
{%- endmacro %}


{#
    The elements of a list, and of lists within it without the numbers there; of what BigQuery wraps around an element
    (`element` or `item`) the inner value. `keeps_lists`: without those of lists within it, which stay elements.
#}
{% macro without_wrappers(elements, keeps_lists=false) -%}
{%- set without_scores = list_where(
    json_elements('wrapped'), 'inner_one',
    "coalesce(" ~ regexp_first('inner_one', '^-?[0-9]*[.]?[0-9]+([eE][-+]?[0-9]+)?$') ~ ", '') = ''"
) -%}
{%- set listed -%}
case
                        when {{ regexp_first('wrapped', '^ *\\{ *"(list|array|bag|items|keywords?|subjects?)" *: *\\[') }} <> ''
                            then {{ json_elements(element_field(
                                'wrapped', ['list', 'array', 'bag', 'items', 'keyword', 'keywords', 'subject', 'subjects']
                            )) }}
                        {%- if not keeps_lists %}
                        when substring(wrapped, 1, 1) = '['
                            then coalesce({{ without_scores }}, {{ list_of(['wrapped']) }})
                        {%- endif %}
                        else {{ list_of(['wrapped']) }}
                    end
{%- endset -%}
{%- set unwrapped -%}
case
                        when {{ regexp_first('wrapped', '^ *\\{ *"(element|item|array_element)" *:') }} <> ''
                            then {{ element_field('wrapped', ['element', 'item', 'array_element']) }}
                        else wrapped
                    end
{%- endset -%}
{{ list_map(list_flatten(list_map(elements, 'wrapped', listed)), 'wrapped', unwrapped) }}
{%- endmacro %}


{# The value of the first of some fields that an element which is a JSON object has; null for any other element. #}
{% macro element_field(element, names) -%}
{%- set shape = {} -%}
{%- set values = [] -%}
{%- for name in names -%}
    {%- do shape.update({name: 'text'}) -%}
    {%- do values.append('object.' ~ name) -%}
{%- endfor -%}
{{ list_at(list_map(
    list_of([parse_json("case when substring(trim(" ~ element ~ "), 1, 1) = '{' then " ~ element ~ " end", shape)]),
    'object', 'coalesce(' ~ values | join(', ') ~ ', null)'
), 1) }}
{%- endmacro %}


{# The name of an element: of an object its name, else its text; clean, and null for a placeholder. #}
{% macro element_name(element) -%}
{%- set given_names = ['given', 'first_name', 'firstName', 'givenName', 'given_name', 'forename', 'first'] -%}
{%- set family_names = ['family', 'last_name', 'lastName', 'familyName', 'family_name', 'surname', 'last'] -%}
{%- set shape = {} -%}
{%- set names = [
    'name', 'display_name', 'full_name', 'keyword', 'code', 'publication_number', 'application_number', 'number',
    'npl_text', 'literature', 'value', 'text', 'label', 'title', 'symbol', 'term', 'descriptor', 'literal', 'fullName',
    'authorName', 'author_name', 'inventor_name',
] -%}
{%- for name in names + given_names + family_names -%}
    {%- do shape.update({name: 'text'}) -%}
{%- endfor -%}
{%- set given = "coalesce(coalesce(object." ~ given_names | join(', object.') ~ ") || ' ', '')" -%}
{%- set name_of_object = (
    "case when object is null then " ~ element ~ " else coalesce(object." ~ names | join(', object.') ~ ", " ~ given ~ " || coalesce(object." ~ family_names | join(', object.') ~ ")) end"
) -%}
{%- set name -%}
case
                when substring(trim({{ element }}), 1, 1) = '{'
                    then {{ list_at(list_map(list_of([parse_json(element, shape)]), 'object', name_of_object), 1) }}
                else {{ element }}
            end
{%- endset -%}
{{ list_at(list_map(list_of([name]), 'plain_name', clean_markup('plain_name', keeps_na=true)), 1) }}
{%- endmacro %}


{#
    A list beside another, as of countries beside authors, whose elements may be lists: [["DE", "FR"], []]. Given are its
    elements with lists kept (`nested`) and without them (`flat`), which count where the nested ones are no lists or
    do not run beside `elements`.
#}
{% macro list_beside(elements, nested, flat) -%}
case when {{ has_lists(nested) }} and {{ are_parallel(elements, nested) }} then {{ nested }} else {{ flat }} end
{%- endmacro %}

{% macro has_lists(elements) -%}
{{ list_length(list_where(elements, 'element', "substring(element, 1, 1) = '['")) }} > 0
{%- endmacro %}


{#
    Of each element of the lists within a list, the place of its list; null where the list has no lists or does not run
    beside `elements`.
#}
{% macro places_of_lists(elements, nested) -%}
{%- set places = list_map(without_wrappers(list_of(['outer_one.element'])), 'inner_one', 'outer_one.position') -%}
case
            when {{ has_lists(nested) }} and {{ are_parallel(elements, nested) }}
                then {{ list_flatten(list_map(list_positioned(nested), 'outer_one', places)) }}
        end
{%- endmacro %}


{#
    The elements of a list as structs: `name` (clean, never null), `element` as delivered, `position` (its place in the
    list) and `country`, that at its place in a list of countries delivered beside it. `elements` are what delivered_elements gives, `names` what
    element_name gives of each, and `countries` the same of the other list, null where there is none. Its countries are
    null where the lists are of different lengths.
#}
{% macro named_elements(elements, names, countries) -%}
{#- Espacenet prints Sample Ada [NL]. -#}
{%- set after_name = ' \\[([A-Z]{2})\\]$' -%}
{%- set beside -%}
case when {{ are_parallel(elements, countries) }} then {{ list_at(countries, 'item.position') }} end
{%- endset -%}
{%- set named = list_map(list_positioned(elements), 'item', struct({
    'name': regexp_replace_all(list_at(names, 'item.position'), after_name, ''),
    'element': 'item.element',
    'position': 'item.position',
    'country': 'coalesce(' ~ beside ~ ", nullif("
        ~ regexp_first(list_at(names, 'item.position'), after_name, 1) ~ ", ''))",
})) -%}
{{ list_where(named, 'item', 'item.name is not null') }}
{%- endmacro %}


{# Whether two lists run beside one another: of one length, but for a blank at an end, as a last separator leaves it. #}
{% macro are_parallel(elements, others) -%}
{%- set lengths = {'left': list_length(elements), 'right': list_length(others)} -%}
({{ lengths.left }} = {{ lengths.right }}
            or ({{ lengths.left }} = {{ lengths.right }} + 1 and {{ lengths.right }} > 0 and {{ ends_blank(elements) }})
            or ({{ lengths.left }} + 1 = {{ lengths.right }} and {{ ends_blank(others) }}))
{%- endmacro %}

{% macro ends_blank(elements) -%}
coalesce(trim({{ list_at(elements, list_length(elements)) }}), '') = ''
{%- endmacro %}


{# The countries of a named element, a list of text as delivered: its own, else that at its place in the other list. #}
{% macro element_countries(item) -%}
{%- set names = ['country', 'country_code', 'countries', 'country_codes', 'country_name'] -%}
{%- set delivered = "coalesce(" ~ element_field(item ~ '.element', names) ~ ", " ~ item ~ ".country)" -%}
{%- set parts = "coalesce(" ~ json_elements('delivered') ~ ", " ~ regexp_all('delivered', '[^;|]+') ~ ")" -%}
{%- set countries = list_map(parts, 'country', clean_value('country', keeps_na=true)) -%}
{{ none_if_empty(list_where(
    list_at(list_map(list_of([delivered]), 'delivered', countries), 1), 'country', 'country is not null'
)) }}
{%- endmacro %}


{# The country of a named element as delivered. #}
{% macro element_country(item) -%}
{%- set names = ['country', 'country_code', 'country_name'] -%}
{%- set delivered = "coalesce(" ~ element_field(item ~ '.element', names) ~ ", " ~ item ~ ".country)" -%}
{%- set first = "coalesce(" ~ list_at(json_elements('delivered'), 1) ~ ", delivered)" -%}
{{ clean_value(list_at(list_map(list_of([delivered]), 'delivered', first), 1), keeps_na=true) }}
{%- endmacro %}


{# True where two lists run beside one another, else null. #}
{% macro parallel_or_null(elements, others) -%}
case when {{ are_parallel(elements, others) }} then true end
{%- endmacro %}
