with

links as (

    select * from {{ ref('int_links_resolved') }}
    where is_same is not null

),

compared as (

    select
        space,
        document_id,
        document_type,
        year
    from {{ ref('int_documents_compared') }}

),

pairs as (

    select * from {{ ref('int_pairs_hubness_corrected') }}

),

possible as (

    select
        papers.space,
        links.paper_id,
        links.patent_id,
        links.is_same
    from links
    inner join compared as papers
        on links.paper_id = papers.document_id and papers.document_type = 'paper'
    inner join compared as patents
        on
            links.patent_id = patents.document_id
            and patents.document_type = 'patent'
            and papers.space = patents.space
            and {{ is_in_time('papers.year', 'patents.year') }}

),

-- Counted of all, as no part of them tells how many papers have such a patent.
counted as (

    select
        space,
        count(distinct case when is_same then paper_id end) as linked_papers
    from possible
    group by space

),

-- By the hash of the paper, so that a paper's pairs come together, and not by kind, so that the mixture stays.
drawn as (

    select
        *,
        row_number() over (
            partition by space, is_same
            order by md5(paper_id), paper_id, md5(patent_id), patent_id
        ) as place
    from possible

)

select
    drawn.space,
    drawn.paper_id,
    drawn.patent_id,
    drawn.is_same,
    counted.linked_papers,
    pairs.similarity,
    pairs.csls
from drawn
inner join counted on drawn.space = counted.space
left join pairs
    on
        drawn.space = pairs.space
        and drawn.paper_id = pairs.paper_id
        and drawn.patent_id = pairs.patent_id
where drawn.place <= {{ most_calibrating_links() }}
