with

delivered as (

    {{ delivered_records('tables', 'patents') }}

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        {{ parse_json('record_text', {
            'source': 'text',
            'id': 'text',
            'publication_number': 'text',
            'application_number': 'text',
            'family_id': 'text',
            'title': 'text',
            'abstract': 'text',
            'ipc': 'json',
            'cpc': 'json',
            'year': 'text',
            'year_basis': 'text',
            'applicant': 'json',
            'inventors': 'json',
            'country': 'text',
            'language': 'text',
            'label_is_ai': 'text',
            'label_source': 'text',
        }) }} as patent
    from delivered

),

renamed as (

    select
        record_file,
        record_row,
        record_text,
        patent is not null as is_parsed,
        coalesce({{ clean_text('patent.source') }}, 'tables') as source_name,
        coalesce({{ clean_text('patent.id') }}, {{ clean_text('patent.publication_number') }}) as source_record_id,
        -- An id that is short or of another form is somebody's own, not a publication number.
        coalesce(
            {{ clean_publication_number('patent.publication_number') }},
            case
                when {{ regexp_first('patent.id', '[0-9]{5}') }} <> ''
                    then {{ clean_publication_number('patent.id') }}
            end
        ) as publication_number,
        {{ clean_text('patent.application_number') }} as application_number,
        {{ clean_text('patent.family_id') }} as family_id,
        {{ clean_markup('patent.title') }} as title,
        {{ clean_markup('patent.abstract') }} as abstract,
        {{ list_flatten(list_of([
            staged_codes('ipc', json_list('patent.ipc'), code='delivered_code'),
            staged_codes('cpc', json_list('patent.cpc'), code='delivered_code'),
        ])) }} as codes,
        nullif({{ clean_text('patent.year') }}, 'NaN') as delivered_year,
        {{ clean_text('patent.year_basis') }} as year_basis,
        {{ staged_applicants(json_list('patent.applicant'), name='applicant') }} as applicants,
        {{ staged_authors(json_list('patent.inventors'), 'inventor', name='inventor') }} as inventors,
        upper({{ clean_text('patent.country') }}) as office_code,
        lower({{ clean_text('patent.language') }}) as language,
        try_cast({{ clean_text('lower(patent.label_is_ai)') }} as boolean) as label_is_ai,
        {{ clean_text('patent.label_source') }} as label_source
    from parsed

),

judged as (

    select
        *,
        {{ rejection_reason('is_parsed', 'source_record_id', 'title', 'delivered_year') }} as rejection_reason
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
    family_id,
    title,
    abstract,
    codes,
    {{ whole_number('delivered_year') }} as year,
    case when {{ whole_number('delivered_year') }} is not null then coalesce(year_basis, 'unknown') end as year_basis,
    inventors,
    applicants,
    office_code,
    language,
    label_is_ai,
    label_source,
    {{ not_understood() }} as not_understood,
    {{ not_delivered([
        'publication_date', 'filing_date', 'grant_date', 'priority_date', 'priority_claims', 'citations',
        'unread_fields',
    ]) }},
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from judged
