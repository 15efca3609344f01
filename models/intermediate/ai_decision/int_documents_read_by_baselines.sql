with

examples as (

    select * from {{ ref('int_classifier_examples') }}
    where layer = 'outer'

),

-- What the classifiers refuse to read, the baselines do not read either: all are judged by the same documents.
readable_documents as (

    select document_id
    from {{ ref('int_documents_assessed') }}
    where refusal is null

),

ranked as (

    select
        examples.*,
        row_number() over (
            partition by examples.document_type, examples.split
            order by md5(examples.title_key) asc, examples.document_id asc
        ) as draw
    from examples
    inner join readable_documents on examples.document_id = readable_documents.document_id

)

select
    document_id,
    document_type,
    title,
    abstract,
    is_ai,
    split
from ranked
where draw <= {{ var('baseline_examples') }}
