with

delivered as (

    {{ delivered_records('tables', 'papers') }}

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        {{ parse_json('record_text', {
            'source': 'text',
            'id': 'text',
            'doi': 'text',
            'title': 'text',
            'abstract': 'text',
            'publication_year': 'text',
            'keywords': 'json',
            'authors': 'json',
            'institutions': 'json',
            'country': 'text',
            'venue': 'text',
            'work_type': 'text',
            'cited_by_count': 'text',
            'categories': 'json',
            'language': 'text',
            'label_is_ai': 'text',
            'label_source': 'text',
        }) }} as paper
    from delivered

),

renamed as (

    select
        record_file,
        record_row,
        record_text,
        paper is not null as is_parsed,
        coalesce({{ clean_text('paper.source') }}, 'tables') as source_name,
        {{ clean_text('paper.id') }} as source_record_id,
        {{ clean_doi('paper.doi') }} as doi,
        {{ clean_markup('paper.title') }} as title,
        {{ clean_markup('paper.abstract') }} as abstract,
        nullif({{ clean_text('paper.publication_year') }}, 'NaN') as delivered_year,
        {{ json_list('paper.keywords') }} as keywords,
        {{ staged_authors(json_list('paper.authors'), name='author') }} as authors,
        {{ staged_institutions(json_list('paper.institutions'), name='institution') }} as institutions,
        {{ clean_text('paper.country') }} as country,
        {{ clean_text('paper.venue') }} as venue,
        {{ clean_text('paper.work_type') }} as work_type,
        {{ whole_number('paper.cited_by_count') }} as cited_by_count,
        {{ json_list('paper.categories') }} as categories,
        lower({{ clean_text('paper.language') }}) as language,
        try_cast({{ clean_text('lower(paper.label_is_ai)') }} as boolean) as label_is_ai,
        {{ clean_text('paper.label_source') }} as label_source
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
    -- An id whose form names its system keeps its meaning; any other is only unique within its source.
    case
        when {{ regexp_first('source_record_id', '^(https?://openalex[.]org/)?W[0-9]+$') }} <> ''
            then {{ regexp_first('source_record_id', 'W[0-9]+$') }}
        when {{ regexp_first('lower(source_record_id)', '^(arxiv:)?[0-9]{4}[.][0-9]{4,5}(v[0-9]+)?$') }} <> ''
            then 'arXiv:' || {{ regexp_first('source_record_id', '[0-9]{4}[.][0-9]{4,5}') }}
        when {{ regexp_first('lower(source_record_id)', '^arxiv:[a-z.-]+/[0-9]{7}(v[0-9]+)?$') }} <> ''
            then 'arXiv:' || {{ regexp_first('substring(source_record_id, 7, 100)', '^[A-Za-z.-]+/[0-9]{7}') }}
        else source_name || ':' || source_record_id
    end as delivered_document_id,
    doi,
    title,
    abstract,
    {{ whole_number('delivered_year') }} as publication_year,
    keywords,
    authors,
    institutions,
    country,
    venue,
    work_type,
    cited_by_count,
    categories,
    language,
    label_is_ai,
    label_source,
    {{ not_understood() }} as not_understood,
    {{ not_delivered([
        'arxiv_id', 'publication_date', 'created_date', 'updated_date', 'is_retracted', 'cited_works',
        'is_authors_truncated', 'unread_fields',
    ]) }},
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from judged
