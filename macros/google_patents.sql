{#
    The lists of Google's table `publications`, as record_in_form takes them: harmonised names, printed names and codes
    may stand in one text.
#}
{% macro google_patents_lists() -%}
    {{ return({
        'title_localized': {'field': 'text'},
        'abstract_localized': {'field': 'text'},
        'inventor_harmonized': {'field': 'name', 'parts': 'names'},
        'assignee_harmonized': {'field': 'name', 'parts': 'names'},
        'inventor': {'field': '', 'parts': 'names'},
        'assignee': {'field': '', 'parts': 'names'},
        'ipc': {'field': 'code', 'parts': 'codes'},
        'cpc': {'field': 'code', 'parts': 'codes'},
        'citation': {'field': 'npl_text'},
        'priority_claim': {'field': 'application_number'},
    }) }}
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
