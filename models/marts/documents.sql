with

documents as (

    select * from {{ ref('int_documents_unioned') }}

),

decisions as (

    select * from {{ ref('int_documents_decided') }}

),

numbers as (

    select * from {{ ref('document_numbers') }}

),

languages as (

    select * from {{ ref('int_document_languages') }}

),

novelty as (

    select * from {{ ref('document_novelty') }}

)

select
    documents.document_id,
    numbers.document_number,
    documents.document_type,
    documents.title,
    documents.abstract,
    languages.language,
    languages.language_source,
    documents.year,
    documents.year_basis,
    decisions.is_ai,
    decisions.decided_by,
    decisions.decision_source,
    decisions.reason as decision_reason,
    decisions.outer_probability,
    decisions.inner_probability,
    decisions.outer_threshold,
    decisions.inner_threshold,
    decisions.outer_probability - decisions.outer_threshold as outer_margin,
    decisions.inner_probability - decisions.inner_threshold as inner_margin,
    decisions.filter_score,
    decisions.filter_threshold,
    novelty.novelty,
    novelty.novelty_percentile,
    novelty.surprise,
    novelty.known_keywords,
    case when novelty.document_id is null then 'no_keywords' else novelty.novelty_reason end as novelty_reason,
    documents.source_system,
    documents.source_name,
    documents.source_record_id,
    documents.text_hash
from documents
inner join numbers on documents.document_id = numbers.document_id
inner join languages on documents.document_id = languages.document_id
inner join decisions on documents.document_id = decisions.document_id
left join novelty on documents.document_id = novelty.document_id
