-- Columns that are read alike are read in one list: see read_alike.
{% set texts = [
    'source', 'id', 'publication_number', 'application_number', 'family_id', 'title', 'abstract', 'year_basis',
    'label_is_ai', 'label_source',
] %}
{% set places = ['country', 'language'] %}
{% set dates = [
    'year', 'filing_date', 'filing_year', 'priority_date', 'priority_year', 'publication_date', 'publication_year',
    'grant_date',
] %}
{% set code_lists = ['ipc', 'cpc'] %}
{% set lists = code_lists + [
    'applicant', 'applicant_countries', 'inventors', 'inventor_countries', 'priority_claims', 'citations',
] %}
{% set countries_of = {'applicant': 'applicant_countries', 'inventors': 'inventor_countries'} %}
with

delivered as (

    {{ delivered_records('tables', 'patents') }}

),

with_fields as (

    select
        *,
        {{ table_fields('record_text', 'patents') }} as fields
    from delivered

),

named as (

    select
        record_file,
        record_row,
        record_text,
        {{ table_unread_fields('fields') }} as unread_fields,
        {{ table_record('fields', 'patents') }} as patent
    from with_fields

),

read_alike as (

    select
        record_file,
        record_row,
        record_text,
        unread_fields,
        patent is not null as is_parsed,
        {{ read_alike('patent', texts, plain_text('delivered')) }} as texts,
        {{ read_alike('patent', places, clean_value(lines_parted('delivered'), keeps_na=true)) }} as places,
        {{ read_alike('patent', dates, dated_text('delivered')) }} as dates,
        {{ read_alike('patent', lists, listed_text('delivered')) }} as list_texts,
        {{ list_flatten(list_of([
            read_alike('patent', code_lists, delivered_elements('delivered', separates_commas=true)),
            read_alike('patent', lists[2:], delivered_elements('delivered', keeps_lists=true)),
        ])) }} as nested_lists
    from named

),

flattened as (

    select
        *,
        {{ list_map('nested_lists', 'list', without_wrappers('list')) }} as lists
    from read_alike

),

dated as (

    select
        *,
        {{ list_map('dates', 'delivered', clean_date('delivered')) }} as days,
        {{ list_map('dates', 'delivered', clean_year('delivered')) }} as years,
        {{ list_map('lists', 'list', list_map('list', 'element', element_name('element'))) }} as names,
        {{ list_map(
            list_of([value_of('texts', texts, 'publication_number'), value_of('texts', texts, 'id')]),
            'delivered', clean_publication_number('delivered')
        ) }} as numbers
    from flattened

),

-- Countries may be lists of an inventor's or applicant's own.
placed as (

    select
        *,
        {% for name, countries in countries_of.items() %}
        {{ list_beside(
            value_of('lists', lists, name), value_of('nested_lists', lists, countries),
            value_of('names', lists, countries)
        ) }} as {{ countries }}{{ ',' if not loop.last }}
        {% endfor %}
    from dated

),

renamed as (

    select
        *,
        coalesce({{ value_of('texts', texts, 'source') }}, 'tables') as source_name,
        coalesce(
            {{ table_id(value_of('texts', texts, 'id')) }},
            {{ table_id(value_of('texts', texts, 'publication_number')) }}
        ) as source_record_id,
        -- An id that is short or of another form is somebody's own, not a publication number.
        coalesce(
            {{ list_at('numbers', 1) }},
            case
                when {{ regexp_first(value_of('texts', texts, 'id'), '[0-9]{5}') }} <> '' then {{ list_at('numbers', 2) }}
            end
        ) as publication_number,
        {{ value_of('texts', texts, 'application_number') }} as application_number,
        {{ table_id(value_of('texts', texts, 'family_id')) }} as family_id,
        {{ value_of('texts', texts, 'title') }} as title,
        {{ telling_abstract(value_of('texts', texts, 'abstract')) }} as abstract,
        {% for name in code_lists %}
        {{ none_if_empty(list_where(value_of('names', lists, name), 'name', 'name is not null')) }} as {{ name }}_codes,
        {% endfor %}
        coalesce(
            {% for name in dates %}{{ list_at('dates', loop.index) }}{{ ', ' if not loop.last }}{% endfor %}
        ) as delivered_year,
        {{ list_at('years', 1) }} as named_year,
        coalesce({{ list_at('years', 2) }}, {{ list_at('years', 3) }}) as filing_year,
        coalesce({{ list_at('years', 4) }}, {{ list_at('years', 5) }}) as priority_year,
        coalesce({{ list_at('years', 6) }}, {{ list_at('years', 7) }}) as publication_year,
        {{ list_at('years', 8) }} as grant_year,
        {{ list_at('days', 2) }} as filing_date,
        {{ list_at('days', 4) }} as priority_date,
        {{ list_at('days', 6) }} as publication_date,
        {{ list_at('days', 8) }} as grant_date,
        lower({{ value_of('texts', texts, 'year_basis') }}) as delivered_basis,
        {{ named_elements(
            value_of('lists', lists, 'applicant'), value_of('names', lists, 'applicant'),
            'applicant_countries'
        ) }} as named_applicants,
        {{ named_elements(
            value_of('lists', lists, 'inventors'), value_of('names', lists, 'inventors'),
            'inventor_countries'
        ) }} as named_inventors,
        {{ named_elements(
            value_of('lists', lists, 'priority_claims'), value_of('names', lists, 'priority_claims'),
            'cast(null as ' ~ list_type('string') ~ ')'
        ) }} as named_claims,
        {{ named_elements(
            value_of('lists', lists, 'citations'), value_of('names', lists, 'citations'),
            'cast(null as ' ~ list_type('string') ~ ')'
        ) }} as named_citations,
        upper({{ value_of('places', places, 'country') }}) as office_code,
        lower({{ value_of('places', places, 'language') }}) as language,
        {{ yes_or_no(value_of('texts', texts, 'label_is_ai')) }} as label_is_ai,
        {{ value_of('texts', texts, 'label_source') }} as label_source
    from placed

),

staged as (

    select
        *,
        coalesce(named_year, filing_year, priority_year, publication_year, grant_year) as any_year,
        {{ list_flatten(list_of([
            staged_codes('ipc', 'ipc_codes', code='delivered_code'),
            staged_codes('cpc', 'cpc_codes', code='delivered_code'),
        ])) }} as codes,
        {{ none_if_empty(staged_applicants(
            'named_applicants', 'applicant', name='applicant.name', country_code=element_country('applicant')
        )) }} as applicants,
        {{ none_if_empty(staged_authors(
            'named_inventors', 'inventor', name='inventor.name', country_codes=element_countries('inventor')
        )) }} as inventors,
        {{ none_if_empty(staged_priority_claims(
            'named_claims', 'claim', application_number='claim.name',
            filing_date=clean_date(element_field('claim.element', ['filing_date', 'date', 'priority_date']))
        )) }} as priority_claims,
        {{ none_if_empty(staged_citations(
            'named_citations', 'citation', publication_number=clean_publication_number('citation.name'),
            literature=(
                'case when ' ~ clean_publication_number('citation.name') ~ ' is null then citation.name end'
            ),
            category=clean_value(element_field('citation.element', ['category']))
        )) }} as citations,
        {{ rejection_reason(
            'is_parsed', 'source_record_id', 'title', 'coalesce(cast(any_year as string), delivered_year)',
            {'unreadable_label': value_of('texts', texts, 'label_is_ai') ~ ' is not null and label_is_ai is null'}
        ) }} as rejection_reason
    from renamed

)

select
    record_file,
    record_row,
    source_name,
    source_record_id,
    coalesce(publication_number, source_name || ':' || source_record_id) as delivered_document_id,
    publication_number,
    application_number,
    nullif(nullif(family_id, '0'), '-1') as family_id,
    title,
    abstract,
    codes,
    cast(any_year as bigint) as year,
    case
        when named_year is not null and delivered_basis is not null then delivered_basis
        when filing_year = any_year then 'filing'
        when priority_year = any_year then 'priority'
        when publication_year = any_year then 'publication'
        when named_year is not null then 'unknown'
        when any_year is not null then 'grant'
    end as year_basis,
    publication_date,
    filing_date,
    grant_date,
    priority_date,
    priority_claims,
    inventors,
    applicants,
    citations,
    office_code,
    language,
    label_is_ai,
    label_source,
    {% set fields = {} %}
    {% for name in dates %}
        {% do fields.update({name: (list_at('dates', loop.index), list_at('years', loop.index))}) %}
    {% endfor %}
    {% do fields.update({'publication_number': (value_of('texts', texts, 'publication_number'), list_at('numbers', 1))}) %}
    {% for name, column in {
        'ipc': 'ipc_codes', 'cpc': 'cpc_codes', 'applicant': 'applicants', 'inventors': 'inventors',
        'priority_claims': 'priority_claims', 'citations': 'citations',
    }.items() %}
        {% do fields.update({name: (value_of('list_texts', lists, name), column)}) %}
    {% endfor %}
    {% for name, countries in countries_of.items() %}
        {% do fields.update({countries: (
            value_of('list_texts', lists, countries), parallel_or_null(value_of('lists', lists, name), countries)
        )}) %}
    {% endfor %}
    {{ not_understood(fields) }} as not_understood,
    unread_fields,
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from staged
