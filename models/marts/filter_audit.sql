with

verdicts as (

    select * from {{ ref('int_filter_verdicts') }}

),

-- Without those that no layer would judge anyway, as no rule matches them.
assessed as (

    select document_id from {{ ref('int_documents_assessed') }}
    where refusal is null or refusal = 'below_word_filter'

),

decisions as (

    select
        document_id,
        coalesce(
            outer_probability >= outer_threshold and inner_probability >= inner_threshold, false
        ) as is_accepted
    from {{ ref('int_documents_decided') }}

),

counts as (

    select
        verdicts.document_type,
        count(*) as documents,
        count(*) filter (where verdicts.is_below_threshold) as documents_below_threshold,
        count(*) filter (where verdicts.is_audited) as audited_documents,
        count(*) filter (where verdicts.is_audited and decisions.is_accepted) as audited_accepted,
        count(*) filter (where not verdicts.is_below_threshold and decisions.is_accepted) as kept_documents
    from verdicts
    inner join assessed on verdicts.document_id = assessed.document_id
    inner join decisions on verdicts.document_id = decisions.document_id
    group by verdicts.document_type

),

shares as (

    select
        *,
        cast(audited_accepted as double) / nullif(audited_documents, 0) as lost_share
    from counts

),

-- Where nothing is below the threshold, nothing is lost.
bounded as (

    select
        *,
        documents_below_threshold * coalesce(lost_share, 0) as lost,
        documents_below_threshold
        * coalesce({{ wilson_bound('lost_share', 'audited_documents', '-') }}, 0) as fewest_lost,
        documents_below_threshold
        * coalesce({{ wilson_bound('lost_share', 'audited_documents', '+') }}, 1) as most_lost
    from shares

)

select
    document_type,
    documents,
    documents_below_threshold,
    audited_documents,
    audited_accepted,
    kept_documents,
    cast(lost as double) as lost_documents,
    cast(kept_documents / nullif(kept_documents + lost, 0) as double) as recall,
    cast(kept_documents / nullif(kept_documents + most_lost, 0) as double) as recall_low,
    cast(kept_documents / nullif(kept_documents + fewest_lost, 0) as double) as recall_high
from bounded
