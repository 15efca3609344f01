-- What is read in the same way is read in a list: each of these expressions is long.
{% set dates = [
    'year', 'filing_date', 'filing_year', 'priority_date', 'priority_year', 'publication_date', 'publication_year',
    'grant_date',
] %}
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

listed as (

    select
        *,
        {{ delivered_elements('patent.applicant') }} as applicant_elements,
        {{ delivered_elements('patent.applicant_countries') }} as applicant_countries,
        {{ delivered_elements('patent.inventors') }} as inventor_elements,
        {{ delivered_elements('patent.inventor_countries') }} as inventor_countries,
        {{ delivered_elements('patent.priority_claims') }} as claim_elements,
        {{ delivered_elements('patent.citations') }} as citation_elements,
        {{ text_list('patent.ipc', separates_commas=true) }} as ipc_codes,
        {{ text_list('patent.cpc', separates_commas=true) }} as cpc_codes,
        {{ list_map(list_of(columns_of('patent', dates)), 'delivered', dated_text('delivered')) }} as date_texts
    from named

),

dated as (

    select
        *,
        {{ list_map('date_texts', 'delivered', clean_date('delivered')) }} as days,
        {{ list_map('date_texts', 'delivered', clean_year('delivered')) }} as years
    from listed

),

renamed as (

    select
        *,
        patent is not null as is_parsed,
        coalesce({{ clean_value('patent.source') }}, 'tables') as source_name,
        coalesce({{ table_id('patent.id') }}, {{ table_id('patent.publication_number') }}) as source_record_id,
        -- An id that is short or of another form is somebody's own, not a publication number.
        coalesce(
            {{ clean_publication_number('patent.publication_number') }},
            case
                when {{ regexp_first('patent.id', '[0-9]{5}') }} <> ''
                    then {{ clean_publication_number('patent.id') }}
            end
        ) as publication_number,
        {{ clean_value('patent.application_number') }} as application_number,
        {{ table_id('patent.family_id') }} as family_id,
        {{ clean_markup('patent.title') }} as title,
        {{ clean_markup('patent.abstract') }} as abstract,
        {{ list_flatten(list_of([
            staged_codes('ipc', 'ipc_codes', code='delivered_code'),
            staged_codes('cpc', 'cpc_codes', code='delivered_code'),
        ])) }} as codes,
        coalesce(
            {% for name in dates %}{{ list_at('date_texts', loop.index) }}{{ ', ' if not loop.last }}{% endfor %}
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
        lower({{ clean_value('patent.year_basis') }}) as delivered_basis,
        {{ staged_applicants(
            named_elements('applicant_elements', 'applicant_countries'), 'applicant', name='applicant.name',
            country_code=element_country('applicant')
        ) }} as applicants,
        {{ staged_authors(
            named_elements('inventor_elements', 'inventor_countries'), 'inventor', name='inventor.name',
            country_codes=element_countries('inventor')
        ) }} as inventors,
        {{ staged_priority_claims(
            named_elements('claim_elements', more_names=['application_number', 'publication_number', 'number']),
            'claim', application_number='claim.name',
            filing_date=clean_date(element_field('claim.element', ['filing_date', 'date', 'priority_date']))
        ) }} as priority_claims,
        {{ staged_citations(
            named_elements('citation_elements', more_names=['publication_number', 'number', 'npl_text', 'literature']),
            'citation', publication_number=clean_publication_number('citation.name'),
            literature=(
                'case when ' ~ clean_publication_number('citation.name') ~ ' is null then citation.name end'
            ),
            category=clean_value(element_field('citation.element', ['category']))
        ) }} as citations,
        upper({{ clean_value('patent.country', keeps_na=true) }}) as office_code,
        lower({{ clean_value('patent.language', keeps_na=true) }}) as language,
        {{ clean_value('patent.label_is_ai') }} as delivered_label,
        {{ yes_or_no('patent.label_is_ai') }} as label_is_ai,
        {{ clean_value('patent.label_source') }} as label_source
    from dated

),

judged as (

    select
        *,
        coalesce(named_year, filing_year, priority_year, publication_year, grant_year) as any_year,
        {{ rejection_reason('is_parsed', 'source_record_id', 'title', 'delivered_year', {
            'unreadable_label': 'delivered_label is not null and label_is_ai is null',
        }) }} as rejection_reason
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
    {{ none_if_empty('priority_claims') }} as priority_claims,
    {{ none_if_empty('inventors') }} as inventors,
    {{ none_if_empty('applicants') }} as applicants,
    {{ none_if_empty('citations') }} as citations,
    office_code,
    language,
    label_is_ai,
    label_source,
    {% set fields = {} %}
    {% for name in dates %}
        {% do fields.update({name: (list_at('date_texts', loop.index), list_at('years', loop.index))}) %}
    {% endfor %}
    {% do fields.update({
        'ipc': (listed_text('patent.ipc'), 'ipc_codes'),
        'cpc': (listed_text('patent.cpc'), 'cpc_codes'),
        'applicant': (listed_text('patent.applicant'), none_if_empty('applicants')),
        'applicant_countries': (
            listed_text('patent.applicant_countries'),
            'case when ' ~ are_parallel('applicant_elements', 'applicant_countries') ~ ' then true end',
        ),
        'inventors': (listed_text('patent.inventors'), none_if_empty('inventors')),
        'inventor_countries': (
            listed_text('patent.inventor_countries'),
            'case when ' ~ are_parallel('inventor_elements', 'inventor_countries') ~ ' then true end',
        ),
        'priority_claims': (listed_text('patent.priority_claims'), none_if_empty('priority_claims')),
        'citations': (listed_text('patent.citations'), none_if_empty('citations')),
    }) %}
    {{ not_understood(fields) }} as not_understood,
    unread_fields,
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from judged
