with

decisions as (

    select * from {{ ref('int_documents_decided') }}
    where outer_probability is not null

),

examples as (

    select * from {{ ref('int_classifier_examples') }}
    where layer = 'outer' and split = 'test'

),

assessed as (

    select * from {{ ref('int_documents_assessed') }}

),

definition_matches as (

    select * from {{ ref('int_documents_matched_to_definitions') }}

),

-- By probabilities and thresholds, never by is_ai of the decision, which labels may have decided.
documents as (

    select
        examples.document_id,
        examples.document_type,
        examples.is_ai,
        examples.source_name,
        examples.label_source,
        coalesce(examples.sampling_weight, 1) as sampling_weight,
        examples.stratum,
        examples.language,
        cast(examples.year - examples.year % 5 as string)
        || '-' || cast(examples.year - examples.year % 5 + 4 as string) as year_band,
        decisions.outer_probability,
        decisions.inner_probability,
        decisions.outer_threshold,
        decisions.inner_threshold,
        decisions.outer_model_version,
        assessed.inner_model_version,
        decisions.outer_probability >= decisions.outer_threshold as is_accepted_by_outer,
        decisions.inner_probability >= decisions.inner_threshold as is_accepted_by_inner
    from examples
    inner join decisions on examples.document_id = decisions.document_id
    inner join assessed on examples.document_id = assessed.document_id

),

judgements as (

    select
        document_id,
        'two layers together' as judge,
        is_accepted_by_outer and is_accepted_by_inner as is_accepted,
        case when is_accepted_by_outer then inner_probability else outer_probability end as probability,
        inner_threshold as threshold,
        outer_model_version || ' + ' || inner_model_version as model_version
    from documents
    where not is_accepted_by_outer or inner_probability is not null

    union all

    select
        document_id,
        'outer' as judge,
        is_accepted_by_outer as is_accepted,
        outer_probability as probability,
        outer_threshold as threshold,
        outer_model_version as model_version
    from documents

    union all

    select
        document_id,
        'inner' as judge,
        is_accepted_by_inner as is_accepted,
        inner_probability as probability,
        inner_threshold as threshold,
        inner_model_version as model_version
    from documents
    where is_accepted_by_outer and inner_probability is not null

    union all

    select
        document_id,
        'rule: ' || definition as judge,
        is_match as is_accepted,
        cast(null as double) as probability,
        cast(null as double) as threshold,
        cast(null as string) as model_version
    from definition_matches

)

select
    documents.document_id,
    documents.document_type,
    judgements.judge,
    documents.is_ai,
    judgements.is_accepted,
    judgements.probability,
    judgements.threshold,
    judgements.model_version,
    documents.source_name,
    documents.label_source,
    documents.sampling_weight,
    documents.stratum,
    documents.language,
    documents.year_band
from documents
inner join judgements on documents.document_id = judgements.document_id
