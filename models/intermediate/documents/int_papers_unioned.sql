with

openalex_works as (

    select * from {{ ref('stg_openalex__works') }}

),

merged_works as (

    select
        source_record_id,
        min(merged_into_record_id) as merged_into_record_id
    from {{ ref('stg_openalex__merged_works') }}
    group by source_record_id

),

deleted_works as (

    select distinct source_record_id
    from {{ ref('stg_openalex__deleted_works') }}
    where source_record_id is not null

),

tables_papers as (

    select * from {{ ref('stg_tables__papers') }}

),

openalex_papers as (

    select
        openalex_works.record_file,
        openalex_works.record_row,
        'openalex' as source_system,
        'openalex' as source_name,
        openalex_works.source_record_id,
        coalesce(merged_works.merged_into_record_id, openalex_works.source_record_id) as record_document_id,
        openalex_works.doi,
        openalex_works.title,
        openalex_works.abstract,
        openalex_works.publication_year as year,
        openalex_works.publication_date,
        openalex_works.language,
        openalex_works.venue,
        openalex_works.work_type,
        openalex_works.cited_by_count,
        openalex_works.keywords as delivered_keywords,
        openalex_works.categories,
        {{ clean_text(
            'coalesce(openalex_works.authorships[' ~ first_index() ~ '].author.display_name, '
            ~ 'openalex_works.authorships[' ~ first_index() ~ '].raw_author_name)'
        ) }} as first_author,
        cast(null as varchar) as country,
        cast(null as boolean) as label_is_ai,
        cast(null as varchar) as label_source,
        coalesce(
            openalex_works.rejection_reason,
            case when deleted_works.source_record_id is not null then 'deleted_upstream' end
        ) as rejection_reason,
        openalex_works.raw_record
    from openalex_works
    left join merged_works on openalex_works.source_record_id = merged_works.source_record_id
    left join deleted_works on openalex_works.source_record_id = deleted_works.source_record_id

),

-- An id keeps its meaning where its form tells the system it comes from; any other is only unique within its source.
other_papers as (

    select
        record_file,
        record_row,
        'tables' as source_system,
        source_name,
        source_record_id,
        case
            when regexp_extract(source_record_id, '^(https?://openalex[.]org/)?W[0-9]+$', 0) <> ''
                then regexp_extract(source_record_id, 'W[0-9]+$', 0)
            when regexp_extract(lower(source_record_id), '^(arxiv:)?[0-9]{4}[.][0-9]{4,5}(v[0-9]+)?$', 0) <> ''
                then 'arXiv:' || regexp_extract(source_record_id, '[0-9]{4}[.][0-9]{4,5}', 0)
            when regexp_extract(lower(source_record_id), '^arxiv:[a-z.-]+/[0-9]{7}(v[0-9]+)?$', 0) <> ''
                then 'arXiv:' || regexp_extract(substring(source_record_id, 7, 100), '^[A-Za-z.-]+/[0-9]{7}', 0)
            else source_name || ':' || source_record_id
        end as record_document_id,
        doi,
        title,
        abstract,
        publication_year as year,
        cast(null as date) as publication_date,
        language,
        venue,
        work_type,
        cited_by_count,
        keywords as delivered_keywords,
        categories,
        authors[{{ first_index() }}] as first_author,
        country,
        label_is_ai,
        label_source,
        rejection_reason,
        raw_record
    from tables_papers

),

unioned as (

    select * from openalex_papers

    union all

    select * from other_papers

)

select
    *,
    -- A short title (`Editorial`, `Introduction`) names nobody's work.
    case
        when length({{ normalised_text('title') }}) >= 20
            then
                {{ normalised_text('title') }} || '|' || coalesce(cast(year as varchar), '')
                || '|' || coalesce({{ normalised_text('first_author') }}, '')
    end as title_key
from unioned
