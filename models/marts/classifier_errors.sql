with

judged as (

    select * from {{ ref('classifier_predictions') }}
    where judge = 'two layers together' and label_is_ai <> is_accepted

),

documents as (

    select
        document_id,
        title,
        abstract,
        year,
        source_record_id
    from {{ ref('int_documents_unioned') }}

),

decisions as (

    select * from {{ ref('int_documents_decided') }}

),

ranked as (

    select
        *,
        case when is_accepted then 'false_positive' else 'false_negative' end as error,
        row_number() over (
            partition by document_type, is_accepted
            order by case when is_accepted then 1 - probability else probability end asc, document_id asc
        ) as place
    from judged

)

select
    ranked.document_type,
    ranked.error,
    cast(ranked.place as integer) as place,
    ranked.document_id,
    documents.title,
    documents.abstract,
    ranked.language,
    documents.year,
    ranked.label_is_ai,
    ranked.label_source,
    ranked.source_name,
    documents.source_record_id,
    ranked.stratum,
    ranked.probability,
    decisions.outer_probability,
    decisions.inner_probability,
    decisions.outer_threshold,
    decisions.inner_threshold,
    case
        when decisions.outer_probability < decisions.outer_threshold then 'outer'
        else 'inner'
    end as mistaken_layer,
    decisions.is_ai,
    decisions.decided_by,
    decisions.reason as decision_reason
from ranked
inner join documents on ranked.document_id = documents.document_id
inner join decisions on ranked.document_id = decisions.document_id
where ranked.place <= 50
