with

carried as (

    select distinct
        embedding_text,
        paper_id
    from {{ ref('int_matches_carried') }}

)

select
    compared.embedding_text,
    compared.document_id,
    compared.year,
    compared.year_shard,
    compared.embedding,
    compared.model_version
from {{ ref('int_vectors_compared') }} as compared
left join carried
    on compared.embedding_text = carried.embedding_text and compared.document_id = carried.paper_id
where compared.document_type = 'paper' and carried.paper_id is null
