-- What is read alike is read in one list: see read_alike.
{% set dates = ['filing_date', 'priority_date', 'publication_date', 'grant_date'] %}
with

delivered as (

    {{ delivered_records('google_patents', 'publications') }}

),

mended as (

    select
        *,
        {{ record_in_form('record_text', google_patents_lists()) }} as mended_text
    from delivered

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        {{ parse_json('mended_text', {
            'publication_number': 'text',
            'application_number': 'text',
            'family_id': 'text',
            'country_code': 'text',
            'title_localized': [{'text': 'text', 'language': 'text', 'truncated': 'boolean'}],
            'abstract_localized': [{'text': 'text', 'language': 'text', 'truncated': 'boolean'}],
            'publication_date': 'text',
            'filing_date': 'text',
            'grant_date': 'text',
            'priority_date': 'text',
            'priority_claim': [{'application_number': 'text', 'publication_number': 'text', 'filing_date': 'text'}],
            'inventor': ['text'],
            'inventor_harmonized': [{'name': 'text', 'country_code': 'text'}],
            'assignee': ['text'],
            'assignee_harmonized': [{'name': 'text', 'country_code': 'text'}],
            'ipc': [{'code': 'text', 'first': 'boolean'}],
            'cpc': [{'code': 'text', 'first': 'boolean'}],
            'citation': [{'publication_number': 'text', 'npl_text': 'text', 'category': 'text'}],
        }) }} as publication
    from mended

),

chosen as (

    select
        *,
        {{ google_patents_text('publication.title_localized') }} as title_chosen,
        {{ google_patents_text('publication.abstract_localized') }} as abstract_chosen,
        {{ list_map(
            list_of([
                struct({'harmonised': 'publication.inventor_harmonized', 'printed': 'publication.inventor'}),
                struct({'harmonised': 'publication.assignee_harmonized', 'printed': 'publication.assignee'}),
            ]),
            'people', google_patents_names('people.harmonised', 'people.printed')
        ) }} as people,
        {{ read_alike('publication', dates, dated_text('delivered')) }} as date_texts
    from parsed

),

dated as (

    select
        *,
        {{ list_map(
            list_of(['title_chosen.text', 'abstract_chosen.text']), 'delivered', plain_text('delivered')
        ) }} as texts,
        {{ list_map('date_texts', 'delivered', clean_date('delivered')) }} as days,
        {{ list_map('date_texts', 'delivered', clean_year('delivered')) }} as years
    from chosen

),

renamed as (

    select
        record_file,
        record_row,
        record_text,
        publication,
        publication is not null as is_parsed,
        {{ clean_value('publication.publication_number') }} as source_record_id,
        -- Whatever form the number has: Google delivers no other identifier.
        coalesce(
            {{ clean_publication_number('publication.publication_number') }},
            upper({{ clean_value('publication.publication_number') }})
        ) as publication_number,
        {{ clean_value('publication.application_number') }} as application_number,
        nullif(nullif({{ clean_value('publication.family_id') }}, '0'), '-1') as family_id,
        upper({{ clean_value('publication.country_code', keeps_na=true) }}) as office_code,
        {{ list_at('texts', 1) }} as title,
        {{ list_at('texts', 2) }} as abstract,
        -- Without the country of en-US.
        nullif(
            {{ regexp_first('lower(coalesce(title_chosen.language, abstract_chosen.language))', '^ *([^ _-]+)', 1) }}, ''
        ) as language,
        date_texts,
        years,
        coalesce(
            {% for name in dates %}{{ list_at('date_texts', loop.index) }}{{ ', ' if not loop.last }}{% endfor %}
        ) as delivered_year,
        {% for name in dates %}
        {{ list_at('years', loop.index) }} as {{ name | replace('date', 'year') }},
        {{ list_at('days', loop.index) }} as {{ name }},
        {% endfor %}
        {{ staged_authors(
            list_at('people', 1), 'inventor', name='inventor.name',
            country_codes='case when inventor.country_code is not null then ' ~ list_of(['inventor.country_code']) ~ ' end'
        ) }} as inventors,
        {{ staged_applicants(
            list_at('people', 2), 'applicant', name='applicant.name', country_code='applicant.country_code'
        ) }} as applicants,
        {{ staged_priority_claims(
            'publication.priority_claim', 'claim',
            application_number='coalesce(' ~ clean_value('claim.application_number') ~ ', '
                ~ clean_value('claim.publication_number') ~ ')',
            filing_date=clean_date('claim.filing_date')
        ) }} as priority_claims,
        {{ staged_citations(
            'publication.citation', 'citation',
            publication_number='coalesce(' ~ clean_publication_number('citation.publication_number') ~ ', '
                ~ clean_value('citation.publication_number') ~ ')',
            literature=clean_markup('citation.npl_text'),
            category=clean_value('citation.category')
        ) }} as citations,
        {{ list_flatten(list_of([
            staged_codes('ipc', 'publication.ipc', 'delivered', code='delivered.code', is_first='delivered.first'),
            staged_codes('cpc', 'publication.cpc', 'delivered', code='delivered.code', is_first='delivered.first'),
        ])) }} as codes
    from dated

),

judged as (

    select
        *,
        coalesce(filing_year, priority_year, publication_year, grant_year) as any_year,
        {{ rejection_reason(
            'is_parsed', 'publication_number', 'title', 'coalesce(cast(any_year as string), delivered_year)'
        ) }} as rejection_reason
    from renamed

)

select
    record_file,
    record_row,
    'google_patents' as source_name,
    source_record_id,
    publication_number as delivered_document_id,
    publication_number,
    application_number,
    family_id,
    title,
    abstract,
    language,
    cast(any_year as bigint) as year,
    case
        when filing_year is not null then 'filing'
        when priority_year is not null then 'priority'
        when publication_year is not null then 'publication'
        when grant_year is not null then 'grant'
    end as year_basis,
    publication_date,
    filing_date,
    grant_date,
    priority_date,
    {{ none_if_empty(list_where('priority_claims', 'claim', 'claim.application_number is not null')) }}
        as priority_claims,
    inventors,
    applicants,
    codes,
    {{ none_if_empty(list_where(
        'citations', 'citation', 'citation.publication_number is not null or citation.literature is not null'
    )) }} as citations,
    office_code,
    {% set fields = {} %}
    {% for name in dates %}
        {% do fields.update({name: (list_at('date_texts', loop.index), list_at('years', loop.index))}) %}
    {% endfor %}
    {{ not_understood(fields) }} as not_understood,
    {{ not_delivered(['label_is_ai', 'label_source', 'unread_fields']) }},
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from judged
