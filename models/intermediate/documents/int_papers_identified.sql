{# Records are the same paper when they share an id, a DOI, or a title with year and first author. Sharing is passed
   on: twice through the three keys links any chain met in practice, and a test fails where it does not. #}
with

papers as (

    select
        *,
        -- The id that a group takes: OpenAlex's before arXiv's before any other, then the smallest.
        case
            when regexp_extract(record_document_id, '^W[0-9]+$', 0) <> '' then '1'
            when regexp_extract(record_document_id, '^arXiv:', 0) <> '' then '2'
            else '3'
        end || record_document_id as group_0
    from {{ ref('int_papers_unioned') }}
    where rejection_reason is null

),

{% for turn in range(2) %}
sharing_an_id_{{ turn }} as (

    select
        *,
        min(group_{{ turn * 3 }}) over (partition by record_document_id) as group_{{ turn * 3 + 1 }}
    from {{ 'papers' if loop.first else 'sharing_a_title_' ~ (turn - 1) }}

),

sharing_a_doi_{{ turn }} as (

    select
        *,
        min(group_{{ turn * 3 + 1 }}) over (partition by coalesce(doi, record_document_id)) as group_{{ turn * 3 + 2 }}
    from sharing_an_id_{{ turn }}

),

sharing_a_title_{{ turn }} as (

    select
        *,
        min(group_{{ turn * 3 + 2 }}) over (partition by coalesce(title_key, record_document_id))
            as group_{{ turn * 3 + 3 }}
    from sharing_a_doi_{{ turn }}

),

{% endfor %}

grouped as (

    select
        *,
        substring(min(group_6) over (partition by record_document_id), 2, 1000) as document_id
    from sharing_a_title_1

),

ranked as (

    select
        *,
        row_number() over (
            partition by document_id
            order by
                abstract is null asc,
                doi is null asc,
                source_system asc,
                length(abstract) desc,
                source_name asc,
                source_record_id asc,
                title asc,
                record_file asc,
                record_row asc
        ) as fullness_rank,
        min(doi) over (partition by document_id) as document_doi,
        max(cited_by_count) over (partition by document_id) as document_cited_by_count
    from grouped

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
    coalesce(doi, document_doi) as doi,
    title,
    abstract,
    year,
    publication_date,
    language,
    venue,
    work_type,
    document_cited_by_count as cited_by_count,
    delivered_keywords,
    categories,
    country,
    label_is_ai,
    label_source,
    title_key
from ranked
