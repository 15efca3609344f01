with

links as (

    select * from {{ ref('int_links_resolved') }}

),

documents as (

    select
        documents.document_id,
        documents.year,
        coalesce(decisions.is_ai, false) as is_ai
    from {{ ref('int_documents_unioned') }} as documents
    inner join {{ ref('int_documents_decided') }} as decisions on documents.document_id = decisions.document_id

),

-- Compared are those with a vector in every space; the year is the one that counts there.
compared as (

    select
        document_id,
        min(year) as year
    from {{ ref('int_documents_compared') }}
    group by document_id
    having count(*) = {{ [var('compared_space'), var('published_space')] | unique | list | length }}

),

described as (

    select
        links.paper_id,
        links.patent_id,
        links.kind,
        links.is_same,
        coalesce(compared_papers.year, papers.year) as paper_year,
        coalesce(compared_patents.year, patents.year) as patent_year,
        case
            when not papers.is_ai then 'paper_not_ai'
            when not patents.is_ai then 'patent_not_ai'
            when papers.year is null then 'paper_without_year'
            when compared_papers.document_id is null then 'paper_without_vector'
            when compared_patents.document_id is null and patents.year is null then 'patent_without_year'
            when compared_patents.document_id is null then 'patent_without_vector'
            when {{ is_in_time('compared_papers.year', 'compared_patents.year') }} then null
            when compared_patents.year - compared_papers.year < {{ var('minimum_lag_years') }} then 'patent_too_early'
            else 'patent_too_late'
        end as reason
    from links
    inner join documents as papers on links.paper_id = papers.document_id
    inner join documents as patents on links.patent_id = patents.document_id
    left join compared as compared_papers on links.paper_id = compared_papers.document_id
    left join compared as compared_patents on links.patent_id = compared_patents.document_id

),

-- In the order of the hash of the paper, so that a paper's pairs come together, and the same ones every time.
drawn as (

    select
        *,
        row_number() over (
            partition by kind, reason
            order by md5(paper_id), paper_id, md5(patent_id), patent_id
        ) as place
    from described

)

select
    paper_id,
    patent_id,
    kind,
    is_same,
    cast(paper_year as integer) as paper_year,
    cast(patent_year as integer) as patent_year,
    case when reason is null and place > {{ var('judged_links') }} then 'not_drawn' else reason end as reason
from drawn
