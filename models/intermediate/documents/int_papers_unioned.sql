with

openalex_works as (

    select * from {{ ref('stg_openalex__works') }}

),

-- A work may be merged more than once: the latest merge holds.
merged_works as (

    select
        source_record_id,
        max_by(merged_into_record_id, coalesce(cast(merge_date as string), '') || merged_into_record_id)
            as merged_into_record_id
    from {{ ref('stg_openalex__merged_works') }}
    where source_record_id is not null and merged_into_record_id is not null
    group by source_record_id

),

-- A work that was merged may be merged again: each turn follows twice as many merges.
{% for turn in range(3) %}
{% set relation = 'merged_works' if loop.first else 'followed_' ~ (turn - 1) %}
followed_{{ turn }} as (

    select
        earlier.source_record_id,
        coalesce(later.merged_into_record_id, earlier.merged_into_record_id) as merged_into_record_id
    from {{ relation }} as earlier
    left join {{ relation }} as later on earlier.merged_into_record_id = later.source_record_id

),

{% endfor %}
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
        openalex_works.source_record_id as delivered_document_id,
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
        openalex_works.authors,
        openalex_works.institutions,
        cast(null as string) as country,
        cast(null as boolean) as label_is_ai,
        cast(null as string) as label_source,
        openalex_works.is_retracted,
        openalex_works.rejection_reason,
        openalex_works.raw_record
    from openalex_works

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
        publication_year as year,
        cast(null as date) as publication_date,
        language,
        venue,
        work_type,
        cited_by_count,
        keywords as delivered_keywords,
        categories,
        authors,
        institutions,
        country,
        label_is_ai,
        label_source,
        cast(null as boolean) as is_retracted,
        rejection_reason,
        raw_record
    from tables_papers

),

unioned as (

    select * from openalex_papers

    union all

    select * from other_papers

),

identified as (

    select
        unioned.*,
        coalesce(merged_works.merged_into_record_id, unioned.delivered_document_id) as record_document_id
    from unioned
    left join followed_2 as merged_works on unioned.delivered_document_id = merged_works.source_record_id

),

judged as (

    select
        identified.*,
        identified.authors[{{ first_index() }}].author_name as first_author,
        identified.rejection_reason is null and deleted_works.source_record_id is not null as is_deleted
    from identified
    left join deleted_works on identified.record_document_id = deleted_works.source_record_id

)

select
    record_file,
    record_row,
    source_system,
    source_name,
    source_record_id,
    record_document_id,
    doi,
    title,
    abstract,
    year,
    publication_date,
    language,
    venue,
    work_type,
    cited_by_count,
    is_retracted,
    delivered_keywords,
    categories,
    first_author,
    authors,
    institutions,
    country,
    label_is_ai,
    label_source,
    case when is_deleted then 'deleted_upstream' else rejection_reason end as rejection_reason,
    -- What is refused only here was staged without its raw form: the main fields stand in for it.
    case
        when is_deleted
            then {{ to_json_text(struct(['source_record_id', 'doi', 'title', 'abstract', 'year'])) }}
        else raw_record
    end as raw_record,
    -- A short title (`Editorial`) names nobody's work, and without year and author no title is enough.
    case
        when length({{ normalised_text('title') }}) >= 20
            then
                {{ normalised_text('title') }} || '|' || cast(year as string)
                || '|' || {{ normalised_text('first_author') }}
    end as title_key
from judged
