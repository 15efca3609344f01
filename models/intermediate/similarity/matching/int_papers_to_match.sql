with

papers as (

    select * from {{ ref('int_documents_compared') }}
    where document_type = 'paper'

),

vectors as (

    {{ compared_vectors(ref('int_documents_embedded'), ref('int_keyword_texts_embedded')) }}

),

carried as (

    select
        space,
        paper_id,
        case when count(*) = {{ var('top_k') }} then min(similarity) end as least_similarity
    from {{ ref('int_matches_carried') }}
    group by space, paper_id

)

select
    papers.space,
    papers.document_id,
    papers.year,
    lpad(cast(papers.year as string), 4, '0') || '-' || papers.shard as year_shard,
    vectors.embedding,
    papers.model_version,
    carried.paper_id is not null as is_carried,
    carried.least_similarity
from papers
inner join vectors
    on
        papers.space = vectors.space
        and papers.document_id = vectors.document_id
        and papers.text_hash = vectors.text_hash
        and papers.model_version = vectors.model_version
left join carried on papers.space = carried.space and papers.document_id = carried.paper_id
