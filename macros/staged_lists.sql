{#
    What the records of every source system hold, in one shape. Staging gives it, and no later model asks which system
    a record is from: a list of authors (of inventors for a patent), of institutions, of applicants and of codes, each
    with all its elements in the order delivered, from which their positions are counted.

    list      SQL of the delivered list. Without it, for a system that delivers none, the result is a null of the type.
    element   The name by which the expressions that follow know an element of the list.

    Of the other arguments, each an expression, those that are left out are null.
#}
{% macro staged_authors(
    list=none, element='author', name='null', id='null', orcid='null', is_corresponding='null', country_code='null'
) -%}
{{ staged_list(list, element, {
    'author_name': (name, 'string'),
    'author_id': (id, 'string'),
    'orcid': (orcid, 'string'),
    'is_corresponding': (is_corresponding, 'boolean'),
    'country_code': (country_code, 'string'),
}) }}
{%- endmacro %}


{# `author_position` is null where institutions are delivered beside the authors. #}
{% macro staged_institutions(
    list=none, element='institution', name='null', id='null', ror='null', country_code='null', author_position='null'
) -%}
{{ staged_list(list, element, {
    'author_position': (author_position, 'integer'),
    'institution_name': (name, 'string'),
    'institution_id': (id, 'string'),
    'ror': (ror, 'string'),
    'country_code': (country_code, 'string'),
}) }}
{%- endmacro %}


{% macro staged_applicants(list=none, element='applicant', name='null', country_code='null') -%}
{{ staged_list(list, element, {
    'applicant_name': (name, 'string'),
    'country_code': (country_code, 'string'),
}) }}
{%- endmacro %}


{# The codes of one scheme, ipc or cpc: `list_of` and `list_flatten` put two schemes together. #}
{% macro staged_codes(scheme, list=none, element='delivered_code', code='null', is_first='null') -%}
{{ staged_list(list, element, {
    'scheme': ("'" ~ scheme ~ "'", 'string'),
    'delivered_code': (code, 'string'),
    'is_first': (is_first, 'boolean'),
}) }}
{%- endmacro %}


{# A list of structs; `fields` are expressions with their types, by name. #}
{% macro staged_list(list, element, fields) -%}
{%- set typed = {} -%}
{%- for name, (expression, type) in fields.items() -%}
    {%- do typed.update({name: 'cast(' ~ expression ~ ' as ' ~ type ~ ')'}) -%}
{%- endfor -%}
{{ list_map(list or 'cast(null as ' ~ list_type('string') ~ ')', element, struct(typed)) }}
{%- endmacro %}
