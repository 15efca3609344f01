-- What is read in the same way is read in a list: each of these expressions is long.
{% set dates = ['publication_year', 'publication_date', 'created_date', 'updated_date'] %}
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

listed as (

    select
        *,
        {{ delivered_elements('paper.authors') }} as author_elements,
        {{ delivered_elements('paper.author_countries') }} as author_countries,
        {{ delivered_elements('paper.institutions') }} as institution_elements,
        {{ delivered_elements('paper.institution_countries') }} as institution_countries,
        {{ list_map(list_of(columns_of('paper', dates)), 'delivered', dated_text('delivered')) }}
            as date_texts
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
        record_file,
        record_row,
        record_text,
        paper is not null as is_parsed,
        coalesce({{ clean_value('paper.source') }}, 'tables') as source_name,
        {{ table_id('paper.id') }} as source_record_id,
        {{ clean_doi('paper.doi') }} as doi,
        {{ clean_value('paper.arxiv_id') }} as arxiv_id,
        {{ clean_markup('paper.title') }} as title,
        {{ clean_markup('paper.abstract') }} as abstract,
        coalesce({{ list_at('date_texts', 1) }}, {{ list_at('date_texts', 2) }}) as delivered_year,
        coalesce({{ list_at('years', 1) }}, {{ list_at('years', 2) }}) as publication_year,
        coalesce({{ list_at('days', 2) }}, {{ list_at('days', 1) }}) as publication_date,
        {{ list_at('days', 3) }} as created_date,
        {{ list_at('days', 4) }} as updated_date,
        {{ text_list('paper.keywords') }} as keywords,
        {{ staged_authors(
            named_elements('author_elements', 'author_countries'), 'author', name='author.name',
            id=clean_value(element_field('author.element', ['author_id', 'id'])),
            orcid=clean_value(element_field('author.element', ['orcid'])),
            is_corresponding=yes_or_no(element_field('author.element', ['is_corresponding', 'corresponding'])),
            country_codes=element_countries('author'),
            affiliation=clean_value(
                element_field('author.element', ['affiliation', 'raw_affiliation', 'institution', 'organization'])
            )
        ) }} as authors,
        {{ staged_institutions(
            named_elements('institution_elements', 'institution_countries'), 'institution', name='institution.name',
            id=clean_value(element_field('institution.element', ['institution_id', 'id'])),
            ror=clean_value(element_field('institution.element', ['ror', 'ror_id'])),
            country_code=element_country('institution'),
            type=clean_value(element_field('institution.element', ['institution_type', 'type']))
        ) }} as institutions,
        {{ clean_value('paper.country', keeps_na=true) }} as country,
        {{ clean_markup('paper.venue') }} as venue,
        {{ clean_value('paper.work_type') }} as work_type,
        {{ whole_number("replace(paper.cited_by_count, ',', '')") }} as cited_by_count,
        {{ yes_or_no('paper.is_retracted') }} as is_retracted,
        {{ text_list('paper.categories') }} as categories,
        {{ text_list('paper.cited_works') }} as cited_works,
        lower({{ clean_value('paper.language', keeps_na=true) }}) as language,
        {{ clean_value('paper.label_is_ai') }} as delivered_label,
        {{ yes_or_no('paper.label_is_ai') }} as label_is_ai,
        {{ clean_value('paper.label_source') }} as label_source,
        unread_fields,
        author_elements,
        author_countries,
        institution_elements,
        institution_countries,
        date_texts,
        years,
        paper
    from dated

),

judged as (

    select
        *,
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
    {{ none_if_empty('authors') }} as authors,
    {{ none_if_empty('institutions') }} as institutions,
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
        'doi': (clean_value('paper.doi'), 'doi'),
        'publication_year': (list_at('date_texts', 1), list_at('years', 1)),
        'publication_date': (list_at('date_texts', 2), list_at('years', 2)),
        'created_date': (list_at('date_texts', 3), list_at('years', 3)),
        'updated_date': (list_at('date_texts', 4), list_at('years', 4)),
        'keywords': (listed_text('paper.keywords'), 'keywords'),
        'authors': (listed_text('paper.authors'), none_if_empty('authors')),
        'author_countries': (
            listed_text('paper.author_countries'),
            'case when ' ~ are_parallel('author_elements', 'author_countries') ~ ' then true end',
        ),
        'institution_countries': (
            listed_text('paper.institution_countries'),
            'case when ' ~ are_parallel('institution_elements', 'institution_countries') ~ ' then true end',
        ),
        'institutions': (listed_text('paper.institutions'), none_if_empty('institutions')),
        'categories': (listed_text('paper.categories'), 'categories'),
        'cited_works': (listed_text('paper.cited_works'), 'cited_works'),
        'cited_by_count': (clean_value('paper.cited_by_count'), 'cited_by_count'),
        'is_retracted': (clean_value('paper.is_retracted'), 'is_retracted'),
    }) }} as not_understood,
    unread_fields,
    {{ not_delivered(['is_authors_truncated']) }},
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from judged
