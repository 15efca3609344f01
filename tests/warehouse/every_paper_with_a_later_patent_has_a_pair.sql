-- A paper goes without a pair only where no AI patent is of its year or later, within the lag that is asked for.
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

patent_years as (

    select distinct
        embedding_text,
        year
    from vectors
    where document_type = 'patent'

)

select distinct
    vectors.embedding_text,
    vectors.document_id
from vectors
inner join patent_years
    on
        vectors.embedding_text = patent_years.embedding_text
        and {{ is_in_time('vectors.year', 'patent_years.year') }}
left join pairs
    on vectors.embedding_text = pairs.embedding_text and vectors.document_id = pairs.paper_id
where vectors.document_type = 'paper' and pairs.paper_id is null
