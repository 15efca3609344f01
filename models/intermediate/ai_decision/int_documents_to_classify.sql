with

assessed as (

    select * from {{ ref('int_documents_assessed') }}
    where refusal is null

),

classified as (

    {{ as_of_last_build('int_documents_classified', {
        'document_id': 'string',
        'text_hash': 'string',
        'layer': 'string',
        'model_version': 'string',
        'probability': 'double',
    }) }}

)

select
    assessed.document_id,
    assessed.document_type,
    assessed.shard,
    assessed.text_hash,
    assessed.title,
    assessed.abstract,
    assessed.outer_model_version,
    assessed.inner_model_version,
    assessed.outer_threshold,
    outer_judgements.probability as outer_probability
from assessed
left join classified as outer_judgements
    on
        assessed.document_id = outer_judgements.document_id
        and assessed.text_hash = outer_judgements.text_hash
        and assessed.outer_model_version = outer_judgements.model_version
        and outer_judgements.layer = 'outer'
left join classified as inner_judgements
    on
        assessed.document_id = inner_judgements.document_id
        and assessed.text_hash = inner_judgements.text_hash
        and assessed.inner_model_version = inner_judgements.model_version
        and inner_judgements.layer = 'inner'
where
    outer_judgements.document_id is null
    or (outer_judgements.probability >= assessed.outer_threshold and inner_judgements.document_id is null)
