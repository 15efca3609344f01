with

documents as (

    select * from {{ ref('int_documents_unioned') }}

),

filters as (

    select * from {{ ref('int_word_filters_loaded') }}

),

scores as (

    select * from {{ ref('int_documents_filtered') }}

),

judged as (

    select
        documents.document_id,
        documents.document_type,
        filters.model_version,
        scores.score,
        filters.threshold,
        scores.score < filters.threshold as is_below_threshold
    from documents
    inner join filters on documents.document_type = filters.document_type
    inner join scores
        on
            documents.document_id = scores.document_id
            and documents.text_hash = scores.text_hash
            and filters.model_version = scores.model_version

),

-- One in fifty is audited, or about five hundred where one in fifty would be fewer.
samples as (

    select
        document_type,
        greatest(cast(0.02 as double), cast(500 as double) / count(*)) as audited_share
    from judged
    where is_below_threshold
    group by document_type

)

select
    judged.document_id,
    judged.document_type,
    judged.model_version,
    judged.score,
    judged.threshold,
    judged.is_below_threshold,
    coalesce(
        judged.is_below_threshold
        and {{ hex_to_bigint("substring(md5('audit of ' || judged.document_id), 1, 8)") }}
        < samples.audited_share * 4294967296,
        false
    ) as is_audited
from judged
left join samples on judged.document_type = samples.document_type
