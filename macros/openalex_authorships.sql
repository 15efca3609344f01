{#
    The parts of an authorship that were delivered in another form than OpenAlex's: lists and objects as text, in JSON or
    as Python prints them; an object in the place of a list; a plain name in the place of an object. Few deliveries have
    any, which one look at the record's text tells.
#}

{# Whether a record may hold such a part. #}
{% macro openalex_may_need_parts(record_text) -%}
{{ regexp_first(
    record_text,
    '"(?:institutions|author|countries|raw_affiliation_strings)" *: *"|"institutions" *: *(?:\\[ *"|\\{)'
) }} <> ''
{%- endmacro %}

{# These parts, as parse_json reads them: an object or a list is JSON then. #}
{% macro openalex_part_shapes() -%}
    {{ return({'authorships': [{
        'author': 'text', 'institutions': 'text', 'countries': 'text', 'raw_affiliation_strings': 'text',
    }]}) }}
{%- endmacro %}

{#
    What an authorship's parts hold, an element of `authorships` as openalex_part_shapes reads it: each text with the
    elements of its list, null where it begins as a list and is none.
#}
{% macro openalex_parts(part) -%}
{%- set affiliations = part ~ '.raw_affiliation_strings' -%}
{%- set is_list = "substring(" ~ trimmed(affiliations) ~ ", 1, 1) in ('[', '{')" -%}
{{ struct({
    'author': part ~ '.author',
    'institutions': clean_value(part ~ '.institutions', keeps_na=true),
    'institution_elements': delivered_elements(part ~ '.institutions'),
    'countries': clean_value(part ~ '.countries', keeps_na=true),
    'country_elements': list_map(
        delivered_elements(part ~ '.countries'), 'country', clean_value('country', keeps_na=true)
    ),
    'affiliations': "case when " ~ is_list ~ " then " ~ delivered_elements(affiliations) ~ " else "
        ~ list_of([affiliations]) ~ " end",
}) }}
{%- endmacro %}

{# The authorships of a work with what its parts hold; `shape` is that of an authorship. #}
{% macro openalex_authorships_of_parts(authorships, parts, shape) -%}
{%- set part = {} -%}
{%- for name in ['author', 'institution_elements', 'country_elements', 'affiliations'] -%}
    {%- do part.update({name: field_of_object(list_at(parts, 'authorship.position'), name)}) -%}
{%- endfor -%}
{%- set author = openalex_object(
    'plain', shape.author, {'id': openalex_id('plain', 'A'), 'display_name': clean_text('plain')}
) -%}
{#- An institution may be named by its id alone. -#}
{%- set is_address = regexp_first('plain', '://|^I[0-9]+ *$') ~ " <> ''" -%}
{%- set institution = openalex_object('plain', shape.institutions[0], {
    'id': "case when " ~ is_address ~ " then " ~ openalex_id('plain', 'I') ~ " end",
    'display_name': "case when not " ~ is_address ~ " then " ~ clean_markup('plain', keeps_na=true) ~ " end",
    'ror': "nullif(" ~ regexp_first('plain', 'ror[.]org/([0-9a-z]+)', 1) ~ ", '')",
}) -%}
{{ list_map(list_positioned(authorships), 'authorship', struct({
    'author': list_at(list_map(list_of([part.author]), 'plain', author), 1),
    'raw_author_name': 'authorship.element.raw_author_name',
    'is_corresponding': 'authorship.element.is_corresponding',
    'countries': part.country_elements,
    'raw_affiliation_strings': part.affiliations,
    'raw_affiliation_string': 'authorship.element.raw_affiliation_string',
    'institutions': list_map(part.institution_elements, 'plain', institution),
})) }}
{%- endmacro %}

{# An object of a shape from JSON, from what Python prints, or from plain text by what `plain` gives for its fields. #}
{% macro openalex_object(text, shape, plain) -%}
{%- set fields = {} -%}
{%- for name, kind in shape.items() -%}
    {%- set type = 'string' if kind is string else list_type('string') -%}
    {%- do fields.update({name: 'cast(' ~ plain.get(name, 'null') ~ ' as ' ~ type ~ ')'}) -%}
{%- endfor -%}
case
                when substring(trim({{ text }}), 1, 1) = '{'
                    then coalesce({{ parse_json(text, shape) }}, {{ parse_json(json_of_python(text), shape) }})
                when trim({{ text }}) <> '' then {{ struct(fields) }}
            end
{%- endmacro %}

{# The first of such parts that is a list of which nothing can be read; `list` names its elements. #}
{% macro openalex_part_not_read(parts, part, list) -%}
{{ list_at(list_map(
    list_where(parts, 'part', 'part.' ~ part ~ ' is not null and part.' ~ list ~ ' is null'), 'part', 'part.' ~ part
), 1) }}
{%- endmacro %}
