with

delivered as (

    {{ delivered_records('google_patents', 'publications') }}

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        {{ parse_json('record_text', {
            'publication_number': 'text',
            'application_number': 'text',
            'family_id': 'text',
            'country_code': 'text',
            'kind_code': 'text',
            'title_localized': [{'text': 'text', 'language': 'text'}],
            'abstract_localized': [{'text': 'text', 'language': 'text'}],
            'publication_date': 'text',
            'filing_date': 'text',
            'grant_date': 'text',
            'priority_date': 'text',
            'inventor': ['text'],
            'inventor_harmonized': [{'name': 'text', 'country_code': 'text'}],
            'assignee': ['text'],
            'assignee_harmonized': [{'name': 'text', 'country_code': 'text'}],
            'ipc': [{'code': 'text', 'first': 'boolean'}],
            'cpc': [{'code': 'text', 'first': 'boolean'}],
        }) }} as publication
    from delivered

),

-- English where there is one, because the default encoder and the definitions read English; else the first delivered.
localised as (

    select
        *,
        coalesce(
            {{ list_where(
                'publication.title_localized', 'localised', "localised.language = 'en' and localised.text <> ''"
            ) }}[{{ first_index() }}],
            publication.title_localized[{{ first_index() }}]
        ) as title_chosen,
        coalesce(
            {{ list_where(
                'publication.abstract_localized', 'localised', "localised.language = 'en' and localised.text <> ''"
            ) }}[{{ first_index() }}],
            publication.abstract_localized[{{ first_index() }}]
        ) as abstract_chosen
    from parsed

),

renamed as (

    select
        record_file,
        record_row,
        record_text,
        publication is not null as is_parsed,
        {{ clean_text('publication.publication_number') }} as source_record_id,
        {{ clean_publication_number('publication.publication_number') }} as publication_number,
        {{ clean_text('publication.application_number') }} as application_number,
        nullif(nullif({{ clean_text('publication.family_id') }}, '0'), '-1') as family_id,
        {{ clean_markup('title_chosen.text') }} as title,
        {{ clean_markup('abstract_chosen.text') }} as abstract,
        lower(coalesce(title_chosen.language, abstract_chosen.language)) as language,
        {{ clean_date('publication.publication_date') }} as publication_date,
        {{ clean_date('publication.filing_date') }} as filing_date,
        {{ clean_date('publication.grant_date') }} as grant_date,
        {{ clean_date('publication.priority_date') }} as priority_date,
        nullif(substring(publication.filing_date, 1, 4), '0') as delivered_year,
        -- The harmonised names are missing for some publications; the names as printed are not.
        case
            when {{ list_length('publication.inventor_harmonized') }} > 0
                then {{ staged_authors(
                    'publication.inventor_harmonized', 'inventor',
                    name=clean_text('inventor.name'),
                    country_codes=list_of(['upper(' ~ clean_text('inventor.country_code') ~ ')'])
                ) }}
            else {{ staged_authors('publication.inventor', 'inventor', name=clean_text('inventor')) }}
        end as inventors,
        case
            when {{ list_length('publication.assignee_harmonized') }} > 0
                then {{ staged_applicants(
                    'publication.assignee_harmonized', 'applicant',
                    name=clean_text('applicant.name'),
                    country_code='upper(' ~ clean_text('applicant.country_code') ~ ')'
                ) }}
            else {{ staged_applicants('publication.assignee', 'applicant', name=clean_text('applicant')) }}
        end as applicants,
        {{ list_flatten(list_of([
            staged_codes('ipc', 'publication.ipc', 'delivered', code='delivered.code', is_first='delivered.first'),
            staged_codes('cpc', 'publication.cpc', 'delivered', code='delivered.code', is_first='delivered.first'),
        ])) }} as codes
    from localised

),

judged as (

    select
        *,
        {{ rejection_reason('is_parsed', 'publication_number', 'title', 'delivered_year') }} as rejection_reason
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
    cast(year(coalesce(filing_date, priority_date, publication_date)) as bigint) as year,
    case
        when filing_date is not null then 'filing'
        when priority_date is not null then 'priority'
        when publication_date is not null then 'publication'
    end as year_basis,
    publication_date,
    filing_date,
    grant_date,
    priority_date,
    inventors,
    applicants,
    codes,
    {{ not_understood() }} as not_understood,
    {{ not_delivered([
        'priority_claims', 'citations', 'office_code', 'label_is_ai', 'label_source', 'unread_fields',
    ]) }},
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from judged
