-- A paper goes without a pair only where no AI patent is of its year or later.
with

vectors as (

    select * from {{ ref('int_vectors_compared') }}

),

pairs as (

    select
        embedding_text,
        paper_id
    from {{ ref('paper_patent_pairs') }}
    where rank = 1

),

latest_patents as (

    select
        embedding_text,
        max(year) as latest_year
    from vectors
    where document_type = 'patent'
    group by embedding_text

)

select
    vectors.embedding_text,
    vectors.document_id
from vectors
inner join latest_patents
    on vectors.embedding_text = latest_patents.embedding_text and vectors.year <= latest_patents.latest_year
left join pairs
    on vectors.embedding_text = pairs.embedding_text and vectors.document_id = pairs.paper_id
where vectors.document_type = 'paper' and pairs.paper_id is null
