with

papers as (

    select * from {{ ref('int_vectors_compared') }}
    where document_type = 'paper'

),

ranked as (

    select
        *,
        row_number() over (partition by embedding_text order by md5(document_id), document_id) as place
    from papers

)

select
    embedding_text,
    document_id,
    year,
    embedding,
    model_version
from ranked
where place <= {{ var('audited_papers') }}
