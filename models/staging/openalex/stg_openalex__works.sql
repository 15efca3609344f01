with

delivered as (

    {{ delivered_records('openalex', 'works') }}

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        {{ parse_json('record_text', {
            'id': 'text',
            'doi': 'text',
            'title': 'text',
            'display_name': 'text',
            'abstract_inverted_index': 'positions',
            'publication_year': 'text',
            'publication_date': 'text',
            'language': 'text',
            'type': 'text',
            'cited_by_count': 'text',
            'is_paratext': 'boolean',
            'is_retracted': 'boolean',
            'primary_location': {'source': {'display_name': 'text'}},
            'host_venue': {'display_name': 'text'},
            'keywords': [{'display_name': 'text', 'keyword': 'text'}],
            'topics': [{'display_name': 'text'}],
            'concepts': [{'display_name': 'text'}],
            'authorships': [{
                'author': {'id': 'text', 'display_name': 'text', 'orcid': 'text'},
                'raw_author_name': 'text',
                'is_corresponding': 'boolean',
                'institutions': [{'id': 'text', 'display_name': 'text', 'ror': 'text', 'country_code': 'text'}],
            }],
        }) }} as work
    from delivered

),

rebuilt as (

    select
        *,
        {{ text_from_inverted_index('work.abstract_inverted_index') }} as abstract_text
    from parsed

),

renamed as (

    select
        record_file,
        record_row,
        record_text,
        work is not null as is_parsed,
        'W' || nullif({{ regexp_first('work.id', '^(https?://openalex[.]org/)?(works/)?[Ww]?([0-9]+)$', 3) }}, '')
            as source_record_id,
        {{ clean_doi('work.doi') }} as doi,
        {{ clean_markup('coalesce(work.title, work.display_name)') }} as title,
        {{ clean_markup('abstract_text') }} as abstract,
        work.publication_year as delivered_year,
        {{ date_from_text('work.publication_date') }} as publication_date,
        {{ clean_text('lower(work.language)') }} as language,
        {{ clean_text('work.type') }} as work_type,
        {{ clean_markup('coalesce(work.primary_location.source.display_name, work.host_venue.display_name)') }}
            as venue,
        {{ whole_number('work.cited_by_count') }} as cited_by_count,
        coalesce(work.is_retracted, false) as is_retracted,
        coalesce(work.is_paratext, false) as is_paratext,
        {{ list_map('work.keywords', 'keyword', 'coalesce(keyword.display_name, keyword.keyword)') }} as keywords,
        {{ list_map('coalesce(work.topics, work.concepts)', 'topic', 'topic.display_name') }} as categories,
        {{ staged_authors(
            'work.authorships', 'authorship',
            name=clean_text('coalesce(authorship.author.display_name, authorship.raw_author_name)'),
            id="nullif(" ~ regexp_first('authorship.author.id', 'A[0-9]+$') ~ ", '')",
            orcid="nullif(" ~ regexp_first('authorship.author.orcid', '([0-9]{4}-){3}[0-9]{3}[0-9X]$') ~ ", '')",
            is_corresponding='authorship.is_corresponding'
        ) }} as authors,
        {{ list_flatten(list_map(
            list_positioned('work.authorships'), 'authorship',
            staged_institutions(
                'authorship.element.institutions', 'institution',
                name=clean_text('institution.display_name'),
                id="nullif(" ~ regexp_first('institution.id', 'I[0-9]+$') ~ ", '')",
                ror="nullif(" ~ regexp_first('institution.ror', '[^/]+$') ~ ", '')",
                country_code='upper(' ~ clean_text('institution.country_code') ~ ')',
                author_position='authorship.position'
            )
        )) }} as institutions
    from rebuilt

),

judged as (

    select
        *,
        {{ rejection_reason(
            'is_parsed', 'source_record_id', 'title', 'delivered_year', {'paratext': 'is_paratext'}
        ) }} as rejection_reason
    from renamed

)

select
    record_file,
    record_row,
    'openalex' as source_name,
    source_record_id,
    source_record_id as delivered_document_id,
    doi,
    title,
    abstract,
    {{ whole_number('delivered_year') }} as publication_year,
    publication_date,
    language,
    work_type,
    venue,
    cited_by_count,
    is_retracted,
    keywords,
    categories,
    authors,
    institutions,
    {{ not_understood() }} as not_understood,
    {{ not_delivered([
        'arxiv_id', 'created_date', 'updated_date', 'cited_works', 'is_authors_truncated', 'country', 'label_is_ai',
        'label_source', 'unread_fields',
    ]) }},
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from judged
