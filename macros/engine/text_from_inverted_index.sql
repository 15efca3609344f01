{#
    OpenAlex's abstract comes as an index: each word with the positions where it stands. It is read in two steps, each a
    column of its own, because the second names the first several times.

    inverted_index          The index's words and their positions, from JSON text: an object of words, or a list of
                            pairs (`key` or `word` and `value` or `positions`, or lists of two). A word may have a list
                            of positions or a single one, written in any way, also as text; null is none. Text that is no JSON, as
                            what Python prints and what was cut, is read as far as it goes.
    text_from_inverted_index  The words in the order of their positions; at one position in the order of the alphabet.
                            Null where there is none.
#}
{% macro inverted_index(text) -%}
    {{ return(adapter.dispatch('inverted_index')(text)) }}
{%- endmacro %}

{% macro text_from_inverted_index(index) -%}
    {{ return(adapter.dispatch('text_from_inverted_index')(index)) }}
{%- endmacro %}

{# The words of JSON text (1) or of what Python printed, each in quotes, and their positions (4). #}
{% macro indexed_word_pattern() -%}
    {{ return("(\"([^\"\\\\]|\\\\.)*\"|'([^'\\\\]|\\\\.)*'): *(\\[[^\\[\\]]*\\]|[0-9.]+)") }}
{%- endmacro %}

{#
    A struct of `words` and `places`, lists of one length. A map would be read half as fast, for it looks for words that
    come twice.
#}
{% macro default__inverted_index(text) -%}
{%- set pairs = "from_json(" ~ text ~ ", '[\"JSON\"]')" -%}
{%- set pattern = indexed_word_pattern() | replace("'", "''") -%}
{%- set printed = "regexp_extract_all(" ~ text ~ ", '" ~ pattern ~ "'" -%}
case
            when starts_with({{ text }}, '{') and json_valid({{ text }}) then {
                'words': {{ words_of_object(text) }},
                'places': {{ places_of_words("json_extract(" ~ text ~ ", '$.*')") }}
            }
            when starts_with({{ text }}, '[') and json_valid({{ text }}) then {
                'words': list_transform(
                    {{ pairs }},
                    lambda pair: coalesce(pair ->> '$.key', pair ->> '$.word', pair ->> '$[0]')
                ),
                'places': {{ places_of_words(
                    "list_transform(" ~ pairs ~ ", lambda pair: "
                    ~ "coalesce(pair -> '$.value', pair -> '$.positions', pair -> '$[1]'))"
                ) }}
            }
            else {
                'words': list_transform(
                    {{ printed }}, 1),
                    lambda word: case
                        when json_valid(word) then word ->> '$'
                        else regexp_replace(substring(word, 2, length(word) - 2), '\\(.)', '\1', 'g')
                    end
                ),
                'places': {{ places_of_words(printed ~ ", 4)") }}
            }
        end
{%- endmacro %}

{#
    The keys of a JSON object. Where a column for each word was made of the index, those of other texts are null, and
    DuckDB has given a number to a column whose name differs only in case from another's: `The_1` beside `the`.
#}
{% macro words_of_object(text) -%}
{%- set plain = "regexp_replace(entry[1], '_[0-9]+$', '')" -%}
case
                    when contains({{ text }}, ':null') and regexp_matches({{ text }}, '_[0-9]+":[[]')
                        then list_transform(
                            list_zip(json_keys({{ text }}), json_extract({{ text }}, '$.*')),
                            lambda entry: case
                                when
                                    entry[1] <> {{ plain }}
                                    and cast(entry[2] as varchar) <> 'null'
                                    and contains(lower({{ text }}), '"' || lower({{ plain }}) || '":')
                                    then {{ plain }}
                                else entry[1]
                            end
                        )
                    else json_keys({{ text }})
                end
{%- endmacro %}

{# Lists of positions from JSON values, a single position being a list of one. #}
{% macro places_of_words(values) -%}
from_json(
                    '[' || array_to_string(
                        list_transform(
                            {{ values }},
                            lambda place: case
                                when starts_with(cast(place as varchar), '[') then cast(place as varchar)
                                when regexp_matches(cast(place as varchar), '^"[[]?[0-9]+( *, *[0-9]+)*[]]?"$')
                                    then '[' || translate(cast(place as varchar), '"[]', '') || ']'
                                else '[' || coalesce(cast(place as varchar), 'null') || ']'
                            end
                        ),
                        ','
                    ) || ']',
                    '[["INTEGER"]]'
                )
{%- endmacro %}

{#
    The positions of a sound index are 0, 1, 2, … each once. Then each is put into one number with the place of its word
    in the list of words: such numbers are sorted and looked up in a fraction of the time that structs with words take.
#}
{% macro default__text_from_inverted_index(index) -%}
{%- set places = "flatten(" ~ index ~ ".places)" -%}
nullif(
            array_to_string(
                case
                    when
                        len({{ index }}.words) < 4096
                        and len({{ places }}) < 524288
                        and list_count({{ places }}) = len({{ places }})
                        and list_max({{ places }}) = len({{ places }}) - 1
                        and list_sum({{ places }}) = len({{ places }}) * (len({{ places }}) - 1) // 2
                        then list_select(
                            {{ index }}.words,
                            list_transform(
                                list_sort(flatten(list_transform(
                                    list_zip({{ index }}.places, range(1, len({{ index }}.words) + 1)),
                                    lambda entry: list_transform(
                                        entry[1], lambda place: place * 4096 + cast(entry[2] as integer)
                                    )
                                ))),
                                lambda item: item % 4096
                            )
                        )
                    else list_transform(
                        list_sort(list_filter(
                            flatten(list_transform(
                                list_zip({{ index }}.words, {{ index }}.places),
                                lambda entry: list_transform(
                                    entry[2], lambda place: {'place': place, 'word': entry[1]}
                                )
                            )),
                            lambda item: item.place is not null
                        )),
                        lambda item: item.word
                    )
                end,
                ' '
            ),
            ''
        )
{%- endmacro %}

{# A list of structs of `word` and `places`. #}
{% macro spark__inverted_index(text) -%}
{%- set pattern = spark_pattern(indexed_word_pattern()) | replace("'", "\\'") -%}
{%- set printed = "regexp_extract_all(" ~ text ~ ", '" ~ pattern ~ "'" -%}
{%- set pairs = spark_json_value(text, 'array<struct<key:string,word:string,value:string,positions:string>>') -%}
{%- set lists = spark_json_value(text, 'array<array<string>>') -%}
coalesce(
            transform(
                map_entries({{ spark_json_value(text, 'map<string,string>') }}),
                entry -> struct(entry.key as word, {{ spark_places('entry.value') }} as places)
            ),
            transform(
                filter({{ lists }}, pair -> pair is not null),
                pair -> struct(get(pair, 0) as word, {{ spark_places('get(pair, 1)') }} as places)
            ),
            transform(
                {{ pairs }},
                pair -> struct(
                    coalesce(pair.key, pair.word) as word,
                    {{ spark_places('coalesce(pair.value, pair.positions)') }} as places
                )
            ),
            transform(
                {{ printed }}, 0),
                entry -> struct(
                    {{ spark_printed_word("regexp_extract(entry, '" ~ pattern ~ "', 1)") }} as word,
                    {{ spark_places("regexp_extract(entry, '" ~ pattern ~ "', 4)") }} as places
                )
            )
        )
{%- endmacro %}

{% macro spark_places(value) -%}
coalesce(
                    transform(
                        case
                            when startswith({{ value }}, '[') then from_json({{ value }}, 'array<string>')
                            when contains({{ value }}, ',') then split({{ value }}, ' *, *')
                            else array({{ value }})
                        end,
                        place -> cast(try_cast(place as double) as int)
                    ),
                    array()
                )
{%- endmacro %}

{% macro spark_printed_word(word) -%}
coalesce(
                        {{ spark_json_value(word, 'string') }},
                        regexp_replace(substr({{ word }}, 2, length({{ word }}) - 2), '\\\\(.)', '$1')
                    )
{%- endmacro %}

{% macro spark__text_from_inverted_index(index) -%}
nullif(
            array_join(
                transform(
                    array_sort(filter(
                        flatten(transform(
                            {{ index }},
                            entry -> transform(entry.places, place -> struct(place as place, entry.word as word))
                        )),
                        item -> item.place is not null
                    )),
                    item -> item.word
                ),
                ' '
            ),
            ''
        )
{%- endmacro %}

{#
    The index itself, from what was delivered as the index: JSON text may hold it once more as text, or within an object
    as `InvertedIndex`, beside its length. A word of that name has positions.
#}
{% macro unwrapped_index(text) -%}
    {{ return(adapter.dispatch('unwrapped_index')(text)) }}
{%- endmacro %}

{% macro default__unwrapped_index(text) -%}
{%- set inner = "json_extract_string(" ~ text ~ ", '$.InvertedIndex')" -%}
case
            when starts_with({{ text }}, '"') and json_valid({{ text }}) then json_extract_string({{ text }}, '$')
            when contains({{ text }}, '"InvertedIndex"') and json_valid({{ text }}) and {{ holds_words(inner) }}
                then {{ inner }}
            else {{ text }}
        end
{%- endmacro %}

{% macro spark__unwrapped_index(text) -%}
{%- set inner = spark_json_value(text, 'struct<InvertedIndex:string>') ~ '.InvertedIndex' -%}
case
            when startswith({{ text }}, '"') then coalesce({{ spark_json_value(text, 'string') }}, {{ text }})
            when contains({{ text }}, '"InvertedIndex"') and {{ holds_words(inner) }} then {{ inner }}
            else {{ text }}
        end
{%- endmacro %}

{# Whether JSON text is an object or a list of objects or lists, unlike a list of positions. #}
{% macro holds_words(text) -%}
{%- set start = "replace(substring(" ~ text ~ ", 1, 20), ' ', '')" -%}
(substring({{ start }}, 1, 1) = '{' or substring({{ start }}, 1, 2) in ('[{', '[['))
{%- endmacro %}
