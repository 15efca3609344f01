-- Columns that are read alike are read in one list: see read_alike.
{% set texts = [
    'source', 'id', 'arxiv_id', 'title', 'abstract', 'venue', 'work_type', 'cited_by_count', 'is_retracted',
    'label_is_ai', 'label_source',
] %}
{% set places = ['country', 'language'] %}
{% set dates = ['publication_year', 'publication_date', 'created_date', 'updated_date'] %}
{% set lists = [
    'keywords', 'categories', 'cited_works', 'authors', 'author_countries', 'institutions', 'institution_countries',
] %}
with

delivered as (

    {{ delivered_records('tables', 'papers') }}

),

with_fields as (

    select
        *,
        {{ table_fields('record_text', 'papers') }} as fields
    from delivered

),

named as (

    select
        record_file,
        record_row,
        record_text,
        {{ table_unread_fields('fields') }} as unread_fields,
        {{ table_record('fields', 'papers') }} as paper
    from with_fields

),

read_alike as (

    select
        record_file,
        record_row,
        record_text,
        unread_fields,
        paper is not null as is_parsed,
        paper.doi as delivered_doi,
        {{ clean_doi('paper.doi') }} as doi,
        {{ read_alike('paper', texts, plain_text('delivered')) }} as texts,
        {{ read_alike('paper', places, clean_value(lines_parted('delivered'), keeps_na=true)) }} as places,
        {{ read_alike('paper', dates, dated_text('delivered')) }} as dates,
        {{ read_alike('paper', lists, listed_text('delivered')) }} as list_texts,
        {{ read_alike('paper', lists, delivered_elements('delivered', keeps_lists=true)) }} as nested_lists
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
        {{ list_map('lists', 'list', list_map('list', 'element', element_name('element'))) }} as names
    from flattened

),

-- Countries and institutions may be lists of an author's own.
placed as (

    select
        *,
        {{ value_of('lists', lists, 'authors') }} as delivered_authors,
        {{ list_beside(
            value_of('lists', lists, 'authors'), value_of('nested_lists', lists, 'author_countries'),
            value_of('names', lists, 'author_countries')
        ) }} as author_countries,
        {{ places_of_lists(
            value_of('lists', lists, 'authors'), value_of('nested_lists', lists, 'institutions')
        ) }} as author_positions
    from dated

),

renamed as (

    select
        *,
        coalesce({{ value_of('texts', texts, 'source') }}, 'tables') as source_name,
        {{ table_id(value_of('texts', texts, 'id')) }} as source_record_id,
        {{ value_of('texts', texts, 'arxiv_id') }} as arxiv_id,
        {{ value_of('texts', texts, 'title') }} as title,
        {{ telling_abstract(value_of('texts', texts, 'abstract')) }} as abstract,
        coalesce({{ list_at('dates', 1) }}, {{ list_at('dates', 2) }}) as delivered_year,
        coalesce({{ list_at('years', 1) }}, {{ list_at('years', 2) }}) as publication_year,
        coalesce({{ list_at('days', 2) }}, {{ list_at('days', 1) }}) as publication_date,
        {{ list_at('days', 3) }} as created_date,
        {{ list_at('days', 4) }} as updated_date,
        {{ none_if_empty(list_where(value_of('names', lists, 'keywords'), 'name', 'name is not null')) }} as keywords,
        {{ none_if_empty(list_where(value_of('names', lists, 'categories'), 'name', 'name is not null')) }}
            as categories,
        {{ none_if_empty(list_where(value_of('names', lists, 'cited_works'), 'name', 'name is not null')) }}
            as cited_works,
        {{ named_elements('delivered_authors', value_of('names', lists, 'authors'), 'author_countries') }}
            as named_authors,
        {{ named_elements(
            value_of('lists', lists, 'institutions'), value_of('names', lists, 'institutions'),
            value_of('names', lists, 'institution_countries')
        ) }} as named_institutions,
        {{ value_of('places', places, 'country') }} as country,
        {{ value_of('texts', texts, 'venue') }} as venue,
        {{ value_of('texts', texts, 'work_type') }} as work_type,
        {{ count_of("replace(" ~ value_of('texts', texts, 'cited_by_count') ~ ", ',', '')") }} as cited_by_count,
        {{ yes_or_no(value_of('texts', texts, 'is_retracted')) }} as is_retracted,
        lower({{ value_of('places', places, 'language') }}) as language,
        {{ yes_or_no(value_of('texts', texts, 'label_is_ai')) }} as label_is_ai,
        {{ value_of('texts', texts, 'label_source') }} as label_source
    from placed

),

staged as (

    select
        *,
        {{ none_if_empty(staged_authors(
            'named_authors', 'author', name='author.name',
            id=clean_value(element_field('author.element', ['author_id', 'id'])),
            orcid=clean_value(element_field('author.element', ['orcid'])),
            is_corresponding=yes_or_no(element_field('author.element', ['is_corresponding', 'corresponding'])),
            country_codes=element_countries('author'),
            affiliation=clean_value(
                element_field('author.element', ['affiliation', 'raw_affiliation', 'institution', 'organization'])
            )
        )) }} as authors,
        {{ none_if_empty(staged_institutions(
            'named_institutions', 'institution', name='institution.name',
            id=clean_value(element_field('institution.element', ['institution_id', 'id'])),
            ror=clean_value(element_field('institution.element', ['ror', 'ror_id'])),
            country_code=element_country('institution'),
            author_position=list_at('author_positions', 'institution.position'),
            type=clean_value(element_field('institution.element', ['institution_type', 'type']))
        )) }} as institutions,
        {{ rejection_reason(
            'is_parsed', 'source_record_id', 'title', 'coalesce(cast(publication_year as string), delivered_year)',
            {'unreadable_label': value_of('texts', texts, 'label_is_ai') ~ ' is not null and label_is_ai is null'}
        ) }} as rejection_reason
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
    arxiv_id,
    title,
    abstract,
    cast(publication_year as bigint) as publication_year,
    publication_date,
    created_date,
    updated_date,
    keywords,
    authors,
    institutions,
    country,
    venue,
    work_type,
    cited_by_count,
    is_retracted,
    categories,
    cited_works,
    language,
    label_is_ai,
    label_source,
    {{ not_understood({
        'doi': (clean_value('delivered_doi'), 'doi'),
        'publication_year': (list_at('dates', 1), list_at('years', 1)),
        'publication_date': (list_at('dates', 2), list_at('years', 2)),
        'created_date': (list_at('dates', 3), list_at('years', 3)),
        'updated_date': (list_at('dates', 4), list_at('years', 4)),
        'keywords': (value_of('list_texts', lists, 'keywords'), 'keywords'),
        'authors': (value_of('list_texts', lists, 'authors'), 'authors'),
        'author_countries': (
            value_of('list_texts', lists, 'author_countries'),
            parallel_or_null('delivered_authors', 'author_countries'),
        ),
        'institutions': (value_of('list_texts', lists, 'institutions'), 'institutions'),
        'institution_countries': (
            value_of('list_texts', lists, 'institution_countries'),
            parallel_or_null(
                value_of('lists', lists, 'institutions'), value_of('lists', lists, 'institution_countries')
            ),
        ),
        'categories': (value_of('list_texts', lists, 'categories'), 'categories'),
        'cited_works': (value_of('list_texts', lists, 'cited_works'), 'cited_works'),
        'cited_by_count': (value_of('texts', texts, 'cited_by_count'), 'cited_by_count'),
        'is_retracted': (value_of('texts', texts, 'is_retracted'), 'is_retracted'),
    }) }} as not_understood,
    unread_fields,
    {{ not_delivered(['is_authors_truncated']) }},
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from staged
