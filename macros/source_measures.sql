{#
    What the records of a source hold, counted: a select of source_system, source_name, document_type, measure, item and
    records. Builds count so over a staging model, and `check` over the records that it has read of one.

    measure            item      records
    delivered          null      all records
    accepted           null      records that staging does not reject
    rejected           reason    records rejected for this reason
    filled             field     accepted records with a value in the field
    noted              fact      accepted records of which it is true
    year, language     value     accepted records with this value

    relation       A staging model of papers or patents, or rows of its columns.
    document_type  paper or patent.
#}
{% macro source_measures(relation, system, document_type) -%}
{%- set counts = {('delivered', none): 'true', ('accepted', none): 'rejection_reason is null'} -%}
{%- for field, condition in fields_of_coverage(document_type).items() -%}
    {%- do counts.update({('filled', field): 'rejection_reason is null and ' ~ condition}) -%}
{%- endfor -%}
{%- for fact, condition in noted_facts(document_type).items() -%}
    {%- do counts.update({('noted', fact): 'rejection_reason is null and ' ~ condition}) -%}
{%- endfor -%}
{%- set measures = [] -%}
{%- for measure, item in counts -%}
    {%- do measures.append(struct({
        'measure': "'" ~ measure ~ "'",
        'item': "'" ~ item ~ "'" if item else 'cast(null as string)',
        'records': 'count_' ~ loop.index,
    })) -%}
{%- endfor -%}
select
    '{{ system }}' as source_system,
    counted.source_name,
    '{{ document_type }}' as document_type,
    counted_measure.measure,
    counted_measure.item,
    cast(counted_measure.records as bigint) as records
from (
    select
        source_name
        {%- for condition in counts.values() %},
        count(case when {{ condition }} then 1 end) as count_{{ loop.index }}
        {%- endfor %}
    from {{ relation }}
    group by source_name
) as counted
{{ unnest_list(list_of(measures), 'counted_measure') }}

union all

select
    '{{ system }}' as source_system,
    source_name,
    '{{ document_type }}' as document_type,
    'rejected' as measure,
    rejection_reason as item,
    count(*) as records
from {{ relation }}
where rejection_reason is not null
group by source_name, rejection_reason
{%- for measure, column in {'year': year_of_staging(document_type), 'language': 'language'}.items() %}

union all

select
    '{{ system }}' as source_system,
    source_name,
    '{{ document_type }}' as document_type,
    '{{ measure }}' as measure,
    cast({{ column }} as string) as item,
    count(*) as records
from {{ relation }}
where rejection_reason is null and {{ column }} is not null
group by source_name, {{ column }}
{%- endfor %}
{%- endmacro %}


{# The column of a staging model that holds the year of a document. #}
{% macro year_of_staging(document_type) -%}
{{ {'paper': 'publication_year', 'patent': 'year'}[document_type] }}
{%- endmacro %}


{# When a record has a value, by the fields that coverage is told of. #}
{% macro fields_of_coverage(document_type) -%}
    {%- set fields = {} -%}
    {%- set columns = {
        'paper': [
            'title', 'abstract', 'year', 'publication_date', 'created_date', 'updated_date', 'doi', 'arxiv_id',
            'language', 'work_type', 'venue', 'cited_by_count',
        ],
        'patent': [
            'title', 'abstract', 'year', 'filing_date', 'priority_date', 'publication_date', 'grant_date',
            'publication_number', 'application_number', 'family_id', 'language',
        ],
    }[document_type] -%}
    {%- set lists = {
        'paper': ['authors', 'institutions', 'keywords', 'categories', 'cited_works'],
        'patent': ['inventors', 'applicants', 'codes', 'priority_claims', 'citations'],
    }[document_type] -%}
    {%- for name in columns -%}
        {%- do fields.update({name: (year_of_staging(document_type) if name == 'year' else name) ~ ' is not null'}) -%}
    {%- endfor -%}
    {%- for name in lists -%}
        {%- do fields.update({name: any_of_list(name, 'listed', 'listed is not null')}) -%}
    {%- endfor -%}
    {%- if document_type == 'paper' -%}
        {%- do fields.update({'countries': 'country is not null or ' ~ any_country('authors') ~ ' or '
            ~ any_of_list('institutions', 'listed', 'listed.country_code is not null')}) -%}
    {%- else -%}
        {%- do fields.update({'countries': any_country('inventors') ~ ' or '
            ~ any_of_list('applicants', 'listed', 'listed.country_code is not null')}) -%}
        {%- do fields.update({'office': 'office_code is not null or publication_number is not null'}) -%}
    {%- endif -%}
    {%- do fields.update({'label': 'label_is_ai is not null'}) -%}
    {%- for name, condition in fields.items() -%}
        {%- do fields.update({name: '(' ~ condition ~ ')'}) -%}
    {%- endfor -%}
    {{ return(fields) }}
{%- endmacro %}


{# What is true of a record and makes one think. #}
{% macro noted_facts(document_type) -%}
    {%- set facts = {
        'text': "(abstract is not null or " ~ regexp_first('title', '\\p{L}') ~ " <> '')",
    } -%}
    {%- if document_type == 'paper' -%}
        {%- do facts.update({'authors_truncated': 'is_authors_truncated'}) -%}
    {%- endif -%}
    {{ return(facts) }}
{%- endmacro %}


{# Whether any element of a list meets a condition. #}
{% macro any_of_list(list, element, condition) -%}
coalesce({{ list_length(list_where(list, element, condition)) }} > 0, false)
{%- endmacro %}

{# Whether any author or inventor is tied to a country. #}
{% macro any_country(people) -%}
{{ any_of_list(people, 'person', any_of_list('person.country_codes', 'country_code', 'country_code is not null')) }}
{%- endmacro %}


{#
    Values that were delivered and not understood, and delivered fields that nobody reads, counted: a select of
    source_system, source_name, document_type, kind, field, value and records, over what `source_measures` takes.
#}
{% macro unread_values(relation, system, document_type) -%}
select
    '{{ system }}' as source_system,
    staged.source_name,
    '{{ document_type }}' as document_type,
    'value' as kind,
    unread.field,
    unread.value,
    count(*) as records
from {{ relation }} as staged
{{ unnest_list('staged.not_understood', 'unread') }}
group by staged.source_name, unread.field, unread.value

union all

select
    '{{ system }}' as source_system,
    staged.source_name,
    '{{ document_type }}' as document_type,
    'field' as kind,
    unread_field as field,
    cast(null as string) as value,
    count(*) as records
from {{ relation }} as staged
{{ unnest_list('staged.unread_fields', 'unread_field') }}
where unread_field is not null
group by staged.source_name, unread_field
{%- endmacro %}
