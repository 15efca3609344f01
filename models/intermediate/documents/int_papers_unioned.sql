with

delivered as (

    {% for system, model in staging_models('papers').items() %}
    select
        record_file,
        record_row,
        '{{ system }}' as source_system,
        source_name,
        source_record_id,
        delivered_document_id,
        doi,
        title,
        abstract,
        publication_year as year,
        publication_date,
        language,
        venue,
        work_type,
        cited_by_count,
        is_retracted,
        keywords as delivered_keywords,
        categories,
        authors,
        institutions,
        country,
        label_is_ai,
        label_source,
        rejection_reason,
        raw_record
    from {{ ref(model) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

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

identified as (

    select
        delivered.*,
        coalesce(merged_works.merged_into_record_id, delivered.delivered_document_id) as record_document_id
    from delivered
    left join followed_2 as merged_works on delivered.delivered_document_id = merged_works.source_record_id

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
