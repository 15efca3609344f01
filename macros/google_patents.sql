{#
    The lists of Google's table `publications`, and how their elements are read. `name` is the field of an element that
    text alone stands for.
#}
{% macro google_patents_lists() -%}
    {{ return({
        'title_localized': 'text', 'abstract_localized': 'text', 'inventor_harmonized': 'name',
        'assignee_harmonized': 'name', 'inventor': '', 'assignee': '', 'ipc': 'code', 'cpc': 'code',
        'citation': 'npl_text', 'priority_claim': 'application_number',
    }) }}
{%- endmacro %}


{#
    A record as BigQuery's export to JSON gives it, where it came another way: with a wrapper around each list and
    element, as a round trip through Parquet leaves them, with an object or a text in the place of a list. Other records
    stay as they are, which one look at their text tells.
#}
{% macro google_patents_record(record_text) -%}
{%- set lists = google_patents_lists() -%}
{%- set other_forms = (
    '\\{ *"(?:element|item|array_element)" *:|"(?:' ~ lists | join('|') ~ ')" *: *["{]'
) -%}
{%- set json_text = list_at(list_map(
    list_of([to_json_text(list_of(['plain']))]), 'listed', "substring(listed, 2, length(listed) - 2)"
), 1) -%}
{%- set value -%}
case
                            {%- for field, name in lists.items() %}
                            when entry.key = '{{ field }}' then {{ google_patents_list('entry.value', name, json_text) }}
                            {%- endfor %}
                            else {{ list_at(list_map(list_of(['entry.value']), 'plain', json_text), 1) }}
                        end
{%- endset -%}
{%- set field = (
    list_at(list_map(list_of(['entry.key']), 'plain', json_text), 1) ~ " || ':' || coalesce(" ~ value ~ ", 'null')"
) -%}
case
            when {{ regexp_first(record_text, other_forms) }} <> ''
                then coalesce(
                    '{' || {{ list_join(list_map(json_entries(record_text), 'entry', field), ',') }} || '}', {{ record_text }}
                )
            else {{ record_text }}
        end
{%- endmacro %}


{# A list of Google's, as JSON text; elements that are text become objects with it as `name`, if that is not blank. #}
{% macro google_patents_list(value, name, json_text) -%}
{%- set element -%}
case
                                    when substring(plain, 1, 1) = '{' then plain
                                    else {{ "'{\"" ~ name ~ "\":' || " ~ json_text ~ " || '}'" if name else json_text }}
                                end
{%- endset -%}
{%- set elements = without_wrappers("coalesce(" ~ json_elements(value) ~ ", " ~ list_of([value]) ~ ")") -%}
'[' || {{ list_join(
                                    list_map(list_where(elements, 'plain', 'plain is not null'), 'plain', element), ','
                                ) }} || ']'
{%- endmacro %}


{#
    The text to read of a localised field: one that says something; English, because the default encoder and the
    definitions read English; whole rather than truncated; else the first delivered.
#}
{% macro google_patents_text(localised) -%}
{%- set says_something = (
    "case when length(each_text.text) < 80 then " ~ clean_value('each_text.text') ~ " else each_text.text end is not null"
) -%}
{%- set is_english = regexp_first("lower(each_text.language)", '^ *(?:en|eng|english)(?:[^a-z]|$)') ~ " <> ''" -%}
{%- set is_whole = "not coalesce(each_text.truncated, false)" -%}
{%- set filled = list_where(localised, 'each_text', says_something) -%}
{%- set choices = [] -%}
{%- for condition in [is_english ~ ' and ' ~ is_whole, is_english, is_whole, 'true'] -%}
    {%- do choices.append(list_at(list_where('filled', 'each_text', condition), 1)) -%}
{%- endfor -%}
{{ list_at(list_map(list_of([filled]), 'filled', 'coalesce(' ~ choices | join(', ') ~ ')'), 1) }}
{%- endmacro %}


{#
    People or organisations of Google's as structs of `name` and `country_code`: harmonised ones, with the name as
    printed where the harmonised one is blank; the printed ones where none is harmonised.
#}
{% macro google_patents_names(harmonised, printed) -%}
{%- set are_as_many = list_length(harmonised) ~ " = " ~ list_length(printed) -%}
{%- set printed_here = "case when " ~ are_as_many ~ " then " ~ list_at(printed, 'named.position') ~ " end" -%}
{%- set both = list_map(list_positioned(harmonised), 'named', struct({
    'names': list_of(['named.element.name', printed_here]), 'country_code': 'named.element.country_code',
})) -%}
{%- set as_printed = list_map(printed, 'named', struct({
    'names': list_of(['named']), 'country_code': 'cast(null as string)',
})) -%}
{%- set any_harmonised = list_length(list_where(harmonised, 'named', "trim(named.name) <> ''")) ~ " > 0" -%}
{%- set cleaned = list_map('named.names', 'name', clean_markup('name', keeps_na=true)) -%}
{{ none_if_empty(list_where(
    list_map(
        "case when " ~ are_as_many ~ " or " ~ any_harmonised ~ " then " ~ both ~ " else " ~ as_printed ~ " end", 'named',
        struct({
            'name': list_at(list_where(cleaned, 'name', 'name is not null'), 1),
            'country_code': 'upper(' ~ clean_value('named.country_code', keeps_na=true) ~ ')',
        })
    ),
    'named', 'named.name is not null'
)) }}
{%- endmacro %}
