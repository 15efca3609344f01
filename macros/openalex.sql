{# What only the staging models of OpenAlex say: how OpenAlex writes ids, and how its website flattens a work. #}

{#
    The number of an id of OpenAlex with its letter, `W2741809807`: from an address (of the website or of the API, with
    a query), the id alone in either case, or the bare number, also as a column with gaps has it. Null else.
#}
{% macro openalex_id(text, letter) -%}
{%- set address = '((https?:)?//)?([a-z]+[.])*openalex[.]org/|openalex:' -%}
{%- set pattern = '(?i)^ *(' ~ address ~ ')?([a-z]+/)?' ~ letter ~ '?([0-9]+)([.]0+)?/*([?#].*)? *$' -%}
'{{ letter }}' || nullif({{ regexp_first(text, pattern, 6) }}, '')
{%- endmacro %}

{# The first of several texts that is not blank. #}
{% macro first_text(texts) -%}
{%- set filled = [] -%}
{%- for text in texts -%}
    {%- do filled.append("nullif(trim(" ~ text ~ "), '')") -%}
{%- endfor -%}
coalesce({{ filled | join(', ') }})
{%- endmacro %}

{# The name that a location prints for its source; some print an address instead. #}
{% macro printed_source(location) -%}
case when not contains({{ location }}.raw_source_name, '://') then {{ location }}.raw_source_name end
{%- endmacro %}

{# A list of text without what is blank; null where nothing is left. #}
{% macro filled_list(list) -%}
{%- set filled = list_where(list, 'one', "trim(one) <> ''") -%}
case when {{ list_length(filled) }} > 0 then {{ filled }} end
{%- endmacro %}

{#
    The fields of a work in a table of the website, by what they hold: those of the present export, whose columns are
    named as in the API with dots, and of the older one. Several values stand in one cell, with `|` between them.
#}
{% macro openalex_columns() -%}
    {{ return({
        'openalex': ['ids.openalex'],
        'doi': ['ids.doi'],
        'arxiv': ['ids.arxiv'],
        'author_name': ['authorships.author.display_name', 'author_names'],
        'author_id': ['authorships.author.id', 'author_ids'],
        'orcid': ['authorships.author.orcid', 'author_orcids'],
        'raw_author_name': ['authorships.raw_author_name'],
        'is_corresponding': ['authorships.is_corresponding'],
        'countries': ['authorships.countries'],
        'affiliations': ['authorships.raw_affiliation_strings'],
        'institutions_of_authors': ['authorships.institutions'],
        'institution_name': ['authorships.institutions.display_name', 'author_institution_names'],
        'institution_id': ['authorships.institutions.id', 'author_institution_ids'],
        'ror': ['authorships.institutions.ror'],
        'country_code': ['authorships.institutions.country_code'],
        'institution_type': ['authorships.institutions.type'],
        'venue': [
            'primary_location.source.display_name', 'primary_location_display_name',
            'primary_location.raw_source_name', 'host_venue.display_name', 'host_venue_display_name',
            'best_oa_location.source.display_name', 'locations.source.display_name',
        ],
        'keywords': ['keywords.display_name', 'keywords.keyword'],
        'topics': ['topics.display_name'],
        'primary_topic': ['primary_topic.display_name'],
        'concepts': ['concepts.display_name'],
        'addresses': [
            'primary_location.landing_page_url', 'primary_location.pdf_url', 'locations.landing_page_url',
            'locations.pdf_url', 'primary_location_landing_page_url', 'primary_location_pdf_url',
        ],
    }) }}
{%- endmacro %}

{# These fields as parse_json reads them. #}
{% macro openalex_column_shapes() -%}
    {%- set shapes = {} -%}
    {%- for name in openalex_columns().values() | sum(start=[]) -%}
        {%- do shapes.update({name: 'text'}) -%}
    {%- endfor -%}
    {{ return(shapes) }}
{%- endmacro %}

{# A cell of such a table by what it holds. #}
{% macro openalex_cell(what) -%}
{%- set cells = [] -%}
{%- for name in openalex_columns()[what] -%}
    {%- do cells.append('work.' ~ quoted_name(name)) -%}
{%- endfor -%}
{{ first_text(cells) }}
{%- endmacro %}

{# The values of such a cell; those that are missing among others are written as None. #}
{% macro openalex_cells(what) -%}
{{ list_map(
    list_split(openalex_cell(what), '|'), 'one', "nullif(nullif(trim(one), ''), 'None')"
) }}
{%- endmacro %}

{#
    The authors of such a table as the API delivers them, without institutions. A column belongs to the authors one by
    one where it has a value for each; all values belong to a sole author.
#}
{% macro openalex_authors_of_table() -%}
{%- set own = {} -%}
{%- for column in ['author_ids', 'orcids', 'raw_author_names', 'corresponding_authors', 'affiliations', 'countries'] -%}
    {%- do own.update({column: (
        "case when " ~ list_length(column) ~ " = " ~ list_length('author_names') ~ " then "
        ~ list_at(column, 'author.position') ~ " end"
    )}) -%}
{%- endfor -%}
{%- set is_sole = list_length('author_names') ~ " = 1" -%}
{{ list_map(list_positioned('author_names'), 'author', struct({
    'author': struct({
        'id': own['author_ids'], 'display_name': 'author.element', 'orcid': own['orcids'],
    }),
    'raw_author_name': own['raw_author_names'],
    'is_corresponding': own['corresponding_authors'],
    'countries': "case when " ~ is_sole ~ " then countries else " ~ list_of([own['countries']]) ~ " end",
    'raw_affiliation_strings': "case when " ~ is_sole ~ " then affiliations end",
    'raw_affiliation_string': own['affiliations'],
    'institutions': 'null',
})) }}
{%- endmacro %}

{#
    Its institutions. Those of a sole author are the author's; else only the older export ties them to authors, whose
    cell `authorships.institutions` holds for each author what `openalex_institution_entries` reads.
#}
{% macro openalex_institutions_of_table() -%}
case
                when {{ list_length('institutions_of_authors') }} > 0 then {{ openalex_institutions_by_author() }}
                else {{ openalex_institutions_without_author() }}
            end
{%- endmacro %}


{% macro openalex_institutions_without_author() -%}
{%- set named = "case when " ~ list_length('institution_names') ~ " > 0 then institution_names when "
    ~ list_length('institution_ids') ~ " > 0 then institution_ids else rors end" -%}
{%- set own = {} -%}
{%- for column in ['institution_names', 'institution_ids', 'rors', 'institution_countries', 'institution_types'] -%}
    {%- do own.update({column: (
        "case when " ~ list_length(column) ~ " = " ~ list_length(named) ~ " then "
        ~ list_at(column, 'institution.position') ~ " end"
    )}) -%}
{%- endfor -%}
{{ staged_institutions(
    list_positioned(named), 'institution',
    name=clean_text(own['institution_names']),
    id=openalex_id(own['institution_ids'], 'I'),
    ror="nullif(" ~ regexp_first(own['rors'], '[^/]+$') ~ ", '')",
    country_code='upper(' ~ own['institution_countries'] ~ ')',
    author_position='case when ' ~ list_length('author_names') ~ ' = 1 then 1 end',
    type=own['institution_types']
) }}
{%- endmacro %}


{% macro openalex_institutions_by_author() -%}
{%- set position -%}
case
                                when {{ list_length('author_names') }} = 1 then 1
                                when {{ list_length('author_names') }} = {{ list_length('institutions_of_authors') }}
                                    then cell.position
                            end
{%- endset -%}
{%- set object = parse_json(
    "case when substring(entry, 1, 1) = '{' then " ~ json_of_python('entry') ~ " end",
    {'display_name': 'text', 'country_code': 'text', 'type': 'text'}
) -%}
{%- set printed = '^[^,]*, *"([^"]*)" *,[^,]*, *([A-Z]{2})? *, *([a-z]*)' -%}
{%- set name_of_plain = "case when " ~ regexp_first('entry', '^[{]|://') ~ " = '' then entry end" -%}
{%- set listed = list_map(openalex_institution_entries('cell.element'), 'entry', struct({
    'text': 'entry',
    'name': "coalesce(" ~ field_of_object(object, 'display_name') ~ ", nullif(" ~ regexp_first('entry', printed, 1)
        ~ ", ''), " ~ name_of_plain ~ ")",
    'country_code': "coalesce(" ~ field_of_object(object, 'country_code') ~ ", nullif("
        ~ regexp_first('entry', printed, 2) ~ ", ''))",
    'type': "coalesce(" ~ field_of_object(object, 'type') ~ ", nullif(" ~ regexp_first('entry', printed, 3) ~ ", ''))",
})) -%}
{{ list_flatten(list_map(
    list_positioned('institutions_of_authors'), 'cell',
    staged_institutions(
        listed, 'institution',
        name=clean_text('institution.name'),
        id="nullif(" ~ regexp_first('institution.text', 'openalex[.]org/(?:institutions/)?(I[0-9]+)', 1) ~ ", '')",
        ror="nullif(" ~ regexp_first('institution.text', 'ror[.]org/([0-9a-z]+)', 1) ~ ", '')",
        country_code='upper(' ~ clean_text('institution.country_code') ~ ')',
        author_position=position,
        type=clean_text('institution.type'),
        lineage=filled_list(regexp_all(regexp_first('institution.text', '\\[.*$'), 'I[0-9]+'))
    )
)) }}
{%- endmacro %}


{#
    The institutions of an author in a cell, a list of text: objects as JSON or Python prints them, or else the values of
    each with commas between them, the name in double quotes, `;` between institutions. What is neither is one name.
#}
{% macro openalex_institution_entries(cell) -%}
{%- set objects = '\\{[^{}]*\\}' -%}
{%- set printed = 'https?://openalex[.]org/(?:institutions/)?I[0-9]+ *, *"[^"]*"[^;"]*' -%}
case
                            when coalesce({{ regexp_first(cell, '^ *(?:\\[ *\\] *)?$') }}, '') = {{ cell }}
                                or {{ cell }} is null then {{ regexp_all("''", 'I[0-9]+') }}
                            when contains({{ cell }}, '{') then {{ regexp_all(cell, objects) }}
                            when {{ regexp_first(cell, printed) }} <> '' then {{ regexp_all(cell, printed) }}
                            else {{ list_of([cell]) }}
                        end
{%- endmacro %}


{% macro field_of_object(object, field) -%}
{{ list_at(list_map(list_of([object]), 'object', 'object.' ~ field), 1) }}
{%- endmacro %}



{# The lists and objects of a work, as record_in_form takes them. #}
{% macro openalex_lists() -%}
    {{ return({
        'authorships': {'field': 'raw_author_name', 'parts': 'names'},
        'topics': {'field': 'display_name', 'parts': 'names'},
        'concepts': {'field': 'display_name', 'parts': 'names'},
        'locations': {'field': 'raw_source_name'},
        'alternate_host_venues': {'field': 'display_name'},
        'primary_location': {'field': 'raw_source_name', 'is_one': true},
        'best_oa_location': {'field': 'raw_source_name', 'is_one': true},
        'host_venue': {'field': 'display_name', 'is_one': true},
        'primary_topic': {'field': 'display_name', 'is_one': true},
        'ids': {'field': 'openalex', 'is_one': true},
    }) }}
{%- endmacro %}

{#
    Whether a work may hold what record_in_form mends: objects in text, or in a wrapper, or names alone for authors. The
    signs begin with one that is seldom in a work, which finds them faster.
#}
{% macro openalex_may_need_form(record_text) -%}
{%- set signs = [] -%}
{%- for sign in ['{\\"', "{'", '{"element"', '{"item"'] -%}
    {%- do signs.append("contains(" ~ record_text ~ ", " ~ quoted_text(sign) ~ ")") -%}
{%- endfor -%}
({{ signs | join(' or ') }} or {{ regexp_first(record_text, '"authorships" *: *(?:\\[ *)?"') }} <> '')
{%- endmacro %}

{#
    Authors who stand for none: OpenAlex gives works whose authors it does not know or has deleted to these. What is
    printed on the paper is the name then.
#}
{% macro is_placeholder_author(author) -%}
(
    coalesce({{ regexp_first(author ~ '.id', '[0-9]+$') }}, '') in ('9999999999', '5317838346')
    or coalesce(upper(replace(trim({{ author }}.display_name), ' ', '_')), '') in ('NULL_AUTHOR', 'DELETED_AUTHOR')
)
{%- endmacro %}
