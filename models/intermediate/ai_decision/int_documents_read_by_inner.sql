with

assessed as (

    select * from {{ ref('int_documents_assessed') }}
    where refusal is null

),

classified as (

    select * from {{ ref('int_documents_classified_outer') }}

)

select
    assessed.document_id,
    assessed.document_type,
    assessed.shard,
    assessed.text_hash,
    assessed.inner_model_version as model_version,
    assessed.title,
    assessed.abstract
from assessed
inner join classified
    on
        assessed.document_id = classified.document_id
        and assessed.text_hash = classified.text_hash
        and assessed.outer_model_version = classified.model_version
where classified.probability >= assessed.outer_threshold
