with

-- Without what is large: abstracts, authors and institutions come back to the survivors in int_papers_deduplicated.
papers as (

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
        length(abstract) as abstract_length,
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
        country,
        label_is_ai,
        label_source
    from {{ ref('int_papers_unioned') }}
    where rejection_reason is null

),

grouped as (

    select
        papers.*,
        coalesce(linked.document_id, papers.record_document_id) as document_id,
        linked.merge_rule as link_rule
    from papers
    left join {{ ref('int_papers_linked') }} as linked on papers.record_document_id = linked.record_document_id

),

ranked as (

    select
        *,
        row_number() over (
            partition by document_id
            order by
                is_superseded asc,
                abstract_length is null asc,
                first_author is null asc,
                doi is null asc,
                source_system asc,
                abstract_length desc nulls last,
                source_name asc nulls last,
                source_record_id asc nulls last,
                title asc nulls last,
                year asc nulls last,
                record_file asc,
                record_row asc
        ) as fullness_rank
    from grouped

),

-- What the fullest record does not know, the next fullest may.
filled as (

    select
        *,
        {% for column in [
            'doi', 'year', 'publication_date', 'language', 'venue', 'work_type', 'country', 'delivered_keywords'
        ] %}
        {{ first_known('case when not is_superseded then ' ~ column ~ ' end', 'from_the_fullest') }}
            as document_{{ column }},
        {% endfor %}
        max(case when not is_superseded then cited_by_count end) over (partition by document_id)
            as document_cited_by_count,
        bool_or(case when not is_superseded then is_retracted end) over (partition by document_id)
            as document_is_retracted,
        first_value(record_document_id) over from_the_fullest as survivor_document_id
    from ranked
    window
        from_the_fullest as (
            partition by document_id
            order by fullness_rank
            rows between unbounded preceding and unbounded following
        )

)

select
    record_file,
    record_row,
    source_system,
    source_name,
    source_record_id,
    record_document_id,
    document_id,
    fullness_rank = 1 as is_survivor,
    is_superseded,
    case
        when fullness_rank = 1 then null
        when is_superseded then 'older_copy'
        when record_document_id = survivor_document_id then 'same_id'
        else link_rule
    end as merge_rule,
    doi as record_doi,
    arxiv_id as record_arxiv_id,
    document_doi as doi,
    document_year as year,
    document_publication_date as publication_date,
    document_language as language,
    document_venue as venue,
    document_work_type as work_type,
    document_cited_by_count as cited_by_count,
    document_is_retracted as is_retracted,
    document_delivered_keywords as delivered_keywords,
    case when not is_superseded then categories end as categories,
    document_country as country,
    case when not is_superseded then label_is_ai end as label_is_ai,
    case when not is_superseded then label_source end as label_source
from filled
