{% set age -%}
coalesce(
                    cast(copies.updated_date as string),
                    nullif({{ regexp_first('copies.record_file', '/updated_date=([0-9-]{10})', 1) }}, '')
                ) desc nulls last,
                copies.record_file desc
{%- endset %}
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
        doi as delivered_doi,
        arxiv_id as delivered_arxiv_id,
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

-- Of several copies of one record of a source the newest counts as a whole, also where it is refused: a snapshot keeps
-- files whose records have moved on. Newest is what was updated last, by its own word or that of its folder, else the
-- last file; within one file none is newer. Looked for among few columns, and compared only where an id comes twice.
copies as (

    {% for system, model in staging_models('papers').items() %}
    select
        record_file,
        record_row,
        '{{ system }}' as source_system,
        source_name,
        source_record_id,
        updated_date,
        rejection_reason
    from {{ ref(model) }}
    where source_record_id is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

doubled as (

    select
        source_system,
        source_name,
        source_record_id
    from copies
    group by source_system, source_name, source_record_id
    having count(*) > 1

),

aged as (

    select
        copies.*,
        rank() over from_the_newest as place,
        first_value(copies.rejection_reason) over (
            partition by copies.source_system, copies.source_name, copies.source_record_id
            order by {{ age }}, copies.rejection_reason asc nulls first
        ) as newest_rejection_reason
    from copies
    inner join doubled
        on
            copies.source_system = doubled.source_system
            and copies.source_name = doubled.source_name
            and copies.source_record_id = doubled.source_record_id
    window
        from_the_newest as (
            partition by copies.source_system, copies.source_name, copies.source_record_id
            order by {{ age }}
        )

),

superseded as (

    select
        record_file,
        record_row,
        newest_rejection_reason
    from aged
    where place > 1

),

-- An id whose form names its system keeps its meaning, wherever it was delivered.
recognised as (

    select
        delivered.*,
        coalesce(
            {{ clean_openalex_id('delivered.source_record_id') }},
            'arXiv:' || {{ clean_arxiv_id('delivered.source_record_id') }},
            delivered.delivered_document_id
        ) as own_document_id,
        coalesce(
            delivered.delivered_doi,
            case
                when {{ regexp_first(
                    'delivered.source_record_id', '^(https?://(dx[.])?doi[.]org/|doi:|DOI:)? ?10[.][0-9]+/'
                ) }} <> ''
                    then {{ clean_doi('delivered.source_record_id') }}
            end
        ) as doi
    from delivered

),

identified as (

    select
        recognised.*,
        coalesce(
            {{ clean_arxiv_id('recognised.delivered_arxiv_id') }},
            {{ clean_arxiv_id('recognised.own_document_id') }},
            {{ clean_arxiv_id('recognised.doi') }}
        ) as arxiv_id,
        coalesce(merged_works.merged_into_record_id, recognised.own_document_id) as record_document_id
    from recognised
    left join followed_2 as merged_works on recognised.own_document_id = merged_works.source_record_id

),

judged as (

    select
        identified.*,
        identified.authors[{{ first_index() }}].author_name as first_author,
        superseded.record_row is not null as is_superseded,
        case
            when deleted_works.source_record_id is not null then 'deleted_upstream'
            else superseded.newest_rejection_reason
        end as later_rejection_reason
    from identified
    left join deleted_works on identified.record_document_id = deleted_works.source_record_id
    left join superseded
        on identified.record_file = superseded.record_file and identified.record_row = superseded.record_row

)

select
    record_file,
    record_row,
    source_system,
    source_name,
    source_record_id,
    record_document_id,
    is_superseded,
    doi,
    arxiv_id,
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
    coalesce(rejection_reason, later_rejection_reason) as rejection_reason,
    -- What is refused only here was staged without its raw form: the main fields stand in for it.
    case
        when rejection_reason is null and later_rejection_reason is not null
            then {{ to_json_text(struct(['source_record_id', 'doi', 'title', 'abstract', 'year'])) }}
        else raw_record
    end as raw_record
from judged
