with

labels as (

    select * from {{ ref('int_documents_labelled') }}

),

ranked_labels as (

    select
        *,
        min(label_priority) over (partition by document_id) as strongest_priority
    from labels

)

-- Sources of equal rank that disagree, and a source that contradicts itself, decide nothing.
select
    document_id,
    min(label_source) as label_source,
    min(label_priority) as label_priority,
    case
        when count(is_ai) = count(*) and bool_and(is_ai) = bool_or(is_ai) then bool_and(is_ai)
    end as is_ai,
    avg(label_confidence) as label_confidence,
    max(sampling_weight) as sampling_weight
from ranked_labels
where label_priority = strongest_priority
group by document_id
