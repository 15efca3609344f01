with

carried as (

    select
        embedding_text,
        paper_id,
        case when count(*) = {{ var('top_k') }} then min(similarity) end as least_similarity
    from {{ ref('int_matches_carried') }}
    group by embedding_text, paper_id

)

select
    compared.embedding_text,
    compared.document_id,
    compared.year,
    compared.year_shard,
    compared.embedding,
    compared.model_version,
    carried.least_similarity
from {{ ref('int_vectors_compared') }} as compared
inner join carried
    on compared.embedding_text = carried.embedding_text and compared.document_id = carried.paper_id
