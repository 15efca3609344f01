{#
    What the records of every source system hold, in one shape. Staging gives it, and no later model asks which system
    a record is from: a list of authors (of inventors for a patent), of institutions, of applicants and of codes, each
    with all its elements in the order delivered, from which their positions are counted.

    list      SQL of the delivered list. Without it, for a system that delivers none, the result is a null of the type.
    element   The name by which the expressions that follow know an element of the list.

    Of the other arguments, each an expression, those that are left out are null.

    An element that says nothing, as an empty code, is no element. Only authors keep their places, which others count by.
#}
{#
    `country_codes` are all that the record ties to the author, a list; `affiliation` is the printed text of where the
    author works.
#}
{% macro staged_authors(
    list=none, element='author', name='null', id='null', orcid='null', is_corresponding='null', country_codes='null',
    affiliation='null'
) -%}
{{ staged_list(list, element, {
    'author_name': (person_name(name), 'string'),
    'author_id': (id, 'string'),
    'orcid': (orcid, 'string'),
    'is_corresponding': (is_corresponding, 'boolean'),
    'country_codes': (country_codes, list_type('string')),
    'affiliation': (affiliation, 'string'),
}) }}
{%- endmacro %}


{#
    `author_position` is null where institutions are delivered beside the authors. `lineage` are the ids of the
    institution and of those that it is part of, a list.
#}
{% macro staged_institutions(
    list=none, element='institution', name='null', id='null', ror='null', country_code='null', author_position='null',
    type='null', lineage='null'
) -%}
{{ staged_list(list, element, {
    'author_position': (author_position, 'integer'),
    'institution_name': (name, 'string'),
    'institution_id': (id, 'string'),
    'ror': (ror, 'string'),
    'country_code': (country_code, 'string'),
    'institution_type': (type, 'string'),
    'lineage': (lineage, list_type('string')),
}, ['institution_name', 'institution_id', 'ror', 'country_code']) }}
{%- endmacro %}


{% macro staged_applicants(list=none, element='applicant', name='null', country_code='null') -%}
{{ staged_list(list, element, {
    'applicant_name': (name, 'string'),
    'country_code': (country_code, 'string'),
}, ['applicant_name', 'country_code']) }}
{%- endmacro %}


{# The codes of one scheme, ipc or cpc: `list_of` and `list_flatten` put two schemes together. #}
{% macro staged_codes(scheme, list=none, element='delivered_code', code='null', is_first='null') -%}
{{ staged_list(list, element, {
    'scheme': ("'" ~ scheme ~ "'", 'string'),
    'delivered_code': ("nullif(" ~ trimmed(code) ~ ", '')", 'string'),
    'is_first': (is_first, 'boolean'),
}, ['delivered_code']) }}
{%- endmacro %}


{# A list of structs; `fields` are expressions with their types, by name. Of `telling` fields an element has one. #}
{% macro staged_list(list, element, fields, telling=[]) -%}
{%- set typed = {} -%}
{%- for name, (expression, type) in fields.items() -%}
    {%- do typed.update({name: 'cast(' ~ expression ~ ' as ' ~ type ~ ')'}) -%}
{%- endfor -%}
{%- set listed = list_map(list or 'cast(null as ' ~ list_type('string') ~ ')', element, struct(typed)) -%}
{%- set conditions = [] -%}
{%- for name in telling -%}
    {%- do conditions.append('listed.' ~ name ~ ' is not null') -%}
{%- endfor -%}
{{ list_where(listed, 'listed', conditions | join(' or ')) if telling and list else listed }}
{%- endmacro %}


{#
    Columns of staged records that a source system does not deliver, each a null of its type: the end of a staging
    model's select. The types of all optional columns stand here.
#}
{% macro not_delivered(names) -%}
{%- set texts = list_type('string') -%}
{%- set types = {
    'doi': 'string', 'arxiv_id': 'string', 'abstract': 'string', 'publication_year': 'bigint',
    'publication_date': 'date', 'created_date': 'date', 'updated_date': 'date', 'language': 'string',
    'work_type': 'string', 'venue': 'string', 'cited_by_count': 'integer', 'is_retracted': 'boolean',
    'keywords': texts, 'categories': texts, 'cited_works': texts, 'country': 'string',
    'is_authors_truncated': 'boolean', 'label_is_ai': 'boolean', 'label_source': 'string', 'unread_fields': texts,
    'application_number': 'string', 'family_id': 'string', 'office_code': 'string',
    'filing_date': 'date', 'grant_date': 'date', 'priority_date': 'date',
} -%}
{%- for name in names -%}
{%- if name == 'priority_claims' -%}
    {{ staged_priority_claims() }} as priority_claims
{%- elif name == 'citations' -%}
    {{ staged_citations() }} as citations
{%- else -%}
    cast(null as {{ types[name] }}) as {{ name }}
{%- endif -%}
{{ ',\n    ' if not loop.last }}
{%- endfor -%}
{%- endmacro %}


{# The earlier applications whose date a patent claims. #}
{% macro staged_priority_claims(list=none, element='claim', application_number='null', filing_date='null') -%}
{{ staged_list(list, element, {
    'application_number': (application_number, 'string'),
    'filing_date': (filing_date, 'date'),
}, ['application_number', 'filing_date']) }}
{%- endmacro %}


{# What a patent cites: another publication by its number, or any other literature as text. #}
{% macro staged_citations(
    list=none, element='citation', publication_number='null', literature='null', category='null'
) -%}
{{ staged_list(list, element, {
    'publication_number': (publication_number, 'string'),
    'literature': (literature, 'string'),
    'category': (category, 'string'),
}, ['publication_number', 'literature']) }}
{%- endmacro %}


{#
    The values of a record that were delivered and not understood, a list of structs of `field` and `value` (its first
    100 letters). fields: by name, SQL of the delivered text and of what it was read as.
#}
{% macro not_understood(fields={}) -%}
{%- set values = [] -%}
{%- for name, (delivered, read) in fields.items() -%}
    {%- do values.append(struct({
        'field': "'" ~ name ~ "'",
        'value': "case when " ~ read ~ " is null then cast(nullif(substring(" ~ delivered ~ ", 1, 100), '') as string) end",
    })) -%}
{%- endfor -%}
{%- if values -%}
{{ list_where(list_of(values), 'item', 'item.value is not null') }}
{%- else -%}
{{ list_map('cast(null as ' ~ list_type('string') ~ ')', 'item', struct({'field': 'item', 'value': 'item'})) }}
{%- endif -%}
{%- endmacro %}
