{#
    The columns of the interchange form `tables`, by kind of document: of each the name that the documentation gives it
    and the other names under which it is read. Case, blanks, hyphens and underscores make no difference.
#}
{% macro table_columns(entity) -%}
    {%- set columns = {
        'papers': {
            'source': ['data_source', 'dataset'],
            'id': [
                'paper_id', 'work_id', 'document_id', 'record_id', 'source_record_id', 'openalex_id', 'eid', 'ut',
                'ut_unique_wos_id', 'lens_id', 'pmid', 'pubmed_id',
            ],
            'doi': ['doi_url', 'doi_link'],
            'arxiv_id': ['arxiv'],
            'title': ['article_title', 'paper_title', 'document_title'],
            'abstract': ['abstract_text', 'summary'],
            'publication_year': ['year', 'pub_year', 'year_of_publication', 'year_published'],
            'publication_date': ['date', 'pub_date', 'date_published', 'published', 'date_of_publication'],
            'created_date': ['date_created', 'created'],
            'updated_date': ['date_updated', 'updated'],
            'keywords': ['keyword', 'author_keywords'],
            'authors': ['author', 'author_names', 'authors_names', 'author_full_names', 'name', 'names'],
            'author_countries': ['author_country', 'authors_countries'],
            'institutions': [
                'institution', 'author_institutions', 'affiliations', 'affiliation', 'author_affiliations', 'raw_affiliations',
                'affiliations_raw', 'organizations', 'organisations',
            ],
            'institution_countries': ['institution_country', 'affiliation_countries', 'affiliation_country'],
            'country': ['countries', 'country_code', 'country_codes'],
            'venue': ['journal', 'source_title', 'journal_title', 'container_title', 'conference'],
            'work_type': ['type', 'document_type', 'publication_type'],
            'cited_by_count': [
                'cited_by', 'cited', 'times_cited', 'citation_count', 'citations_count',
                'times_cited_all_databases', 'citing_works_count',
            ],
            'categories': ['category', 'subjects', 'subject_areas', 'fields_of_study', 'web_of_science_categories'],
            'cited_works': ['references', 'referenced_works'],
            'language': ['lang', 'language_code', 'language_of_original_document'],
            'is_retracted': ['retracted'],
            'label_is_ai': ['is_ai'],
            'label_source': [],
        },
        'patents': {
            'source': ['data_source', 'dataset'],
            'id': ['patent_id', 'document_id', 'record_id', 'source_record_id', 'lens_id'],
            'publication_number': [
                'publication_no', 'publication_num', 'patent_number', 'patent_no', 'publication_id', 'pub_number',
                'display_key',
            ],
            'application_number': ['application_no', 'application_id'],
            'family_id': ['family', 'family_number', 'docdb_family_id', 'simple_family_id'],
            'title': ['patent_title', 'invention_title', 'document_title'],
            'abstract': ['abstract_text', 'patent_abstract', 'summary'],
            'ipc': [
                'ipcs', 'ipc_code', 'ipc_codes', 'ipcr', 'ipc_classification', 'ipc_classifications',
                'ipcr_classifications',
            ],
            'cpc': ['cpcs', 'cpc_code', 'cpc_codes', 'cpc_classification', 'cpc_classifications'],
            'year': [],
            'year_basis': [],
            'filing_date': [
                'application_date', 'date_filed', 'filed', 'filed_date', 'filing', 'filing_creation_date', 'date_of_filing',
            ],
            'filing_year': ['application_year'],
            'priority_date': ['earliest_priority_date', 'earliest_priority', 'priority'],
            'priority_year': [],
            'publication_date': ['pub_date', 'date_published', 'published', 'date', 'date_of_publication'],
            'publication_year': ['pub_year', 'year_of_publication'],
            'grant_date': ['granted', 'granted_date', 'date_granted', 'issue_date', 'patent_date'],
            'applicant': ['applicants', 'assignee', 'assignees', 'owner', 'owners'],
            'applicant_countries': ['applicant_country', 'assignee_countries', 'assignee_country', 'applicants_countries'],
            'inventors': ['inventor', 'inventor_author', 'inventor_names'],
            'inventor_countries': ['inventor_country', 'inventors_countries'],
            'country': ['office', 'office_code', 'jurisdiction', 'country_code', 'publication_country'],
            'language': ['lang', 'language_code'],
            'citations': ['cited_publications', 'cited_patents', 'backward_citations'],
            'priority_claims': ['priority_claim', 'priorities', 'priority_numbers'],
            'label_is_ai': ['is_ai'],
            'label_source': [],
        },
        'labels': {
            'source_record_id': ['id', 'document_id', 'record_id', 'paper_id', 'patent_id', 'publication_number'],
            'source': ['data_source', 'dataset'],
            'is_ai': ['label_is_ai', 'label', 'ai'],
            'label_source': [],
            'confidence': ['label_confidence'],
            'sampling_weight': ['weight'],
        },
        'links': {
            'paper_id': ['paper', 'paper_record_id'],
            'patent_id': ['patent', 'patent_record_id', 'publication_number'],
            'paper_source': [],
            'patent_source': [],
            'kind': ['link_kind', 'type'],
        },
    } -%}
    {{ return(columns[entity]) }}
{%- endmacro %}


{#
    The fields of a record as a sorted list of structs: `field` (a column that table_columns names; blank for any other),
    `place` (of the name among those of the column), `name` as delivered and `value` as text. Without those that hold
    nothing; null where the record is no JSON object.
#}
{% macro table_fields(record_text, entity) -%}
{%- set chosen -%}
case entry.plain_name
            {%- for column, others in table_columns(entity).items() %}
            {%- for name in [column] + others %}
            when '{{ name | replace('_', '') }}' then '{{ column }} {{ loop.index }}'
            {%- endfor %}
            {%- endfor %}
            else ' '
        end
{%- endset -%}
{%- set entries = list_where(json_entries(record_text), 'entry', "trim(entry.value) <> '' and entry.key <> 'record_file'") -%}
{%- set plain = list_map(entries, 'entry', struct({
    'plain_name': regexp_replace_all('lower(entry.key)', '[^\\p{L}\\p{N}]+', ''),
    'name': 'entry.key', 'value': 'entry.value',
})) -%}
{%- set named = list_map(plain, 'entry', struct({'chosen': chosen, 'name': 'entry.name', 'value': 'entry.value'})) -%}
{{ list_sorted(list_map(named, 'entry', struct({
    'field': "split_part(entry.chosen, ' ', 1)", 'place': "split_part(entry.chosen, ' ', 2)",
    'name': 'entry.name', 'value': 'entry.value',
}))) }}
{%- endmacro %}


{# A struct of the columns that table_columns names, from `fields` as table_fields gives them; null where these are. #}
{% macro table_record(fields, entity) -%}
{%- set values = {} -%}
{%- for column in table_columns(entity) -%}
    {%- set of_column = list_where(fields, 'entry', "entry.field = '" ~ column ~ "'") -%}
    {%- set value = list_at(list_map(of_column, 'entry', 'entry.value'), 1) -%}
    {%- if column in ('authors', 'inventors') -%}
        {%- set value = named_value(value, 'people', people_parted('people')) -%}
    {%- elif column == 'keywords' -%}
        {%- set value = keywords_parted(value) -%}
    {%- endif -%}
    {%- do values.update({column: value}) -%}
{%- endfor -%}
case when {{ fields }} is not null then {{ struct(values) }} end
{%- endmacro %}


{#
    Columns of a record, each read by one expression in which it is called `delivered`, as a list in the order of `names`.
    The expression is written once, because a query with many long ones takes minutes to plan: `value_of` takes a
    column's value from the list.
#}
{% macro read_alike(record, names, expression) -%}
{%- set columns = [] -%}
{%- for name in names -%}
    {%- do columns.append(record ~ '.' ~ name) -%}
{%- endfor -%}
{{ list_map(list_of(columns), 'delivered', expression) }}
{%- endmacro %}


{# The value of a column in a list that read_alike gives. #}
{% macro value_of(list, names, name) -%}
{{ list_at(list, names.index(name) + 1) }}
{%- endmacro %}


{# The delivered names of the fields that hold something and that nobody reads; null where there are none. #}
{% macro table_unread_fields(fields) -%}
{{ none_if_empty(list_sorted(list_map(list_where(fields, 'entry', "entry.field = ''"), 'entry', 'entry.name'))) }}
{%- endmacro %}


{#
    A clean id that was delivered as text or as a number, which columns with gaps turn into 7700000001.0, and what is
    made for a spreadsheet into ="7700000001".
#}
{% macro table_id(text) -%}
coalesce(nullif({{ regexp_first(text, '^(?:=?["\\x27])?([0-9]+)(?:[.]0+)?"?$', 1) }}, ''), {{ text }})
{%- endmacro %}


{# Text of a delivered list, null where nothing stands in it but signs and placeholders. #}
{% macro listed_text(text) -%}
{{ null_if_blank(regexp_replace_all(
    clean_value(text), '(?i)^([^\\p{L}\\p{N}]|\\b(null|none|nan|nat)\\b)*$', ''
)) }}
{%- endmacro %}
