{% set rule_definitions = "'" ~ var('rule_definitions') | join("', '") ~ "'" %}

with

documents as (

    select * from {{ ref('int_documents_unioned') }}

),

document_languages as (

    select * from {{ ref('int_document_languages') }}

),

classifiers as (

    select * from {{ ref('int_classifiers_loaded') }}

),

outer_classifiers as (

    select * from classifiers
    where layer = 'outer'

),

inner_classifiers as (

    select * from classifiers
    where layer = 'inner'

),

matched_documents as (

    select distinct document_id
    from {{ ref('int_documents_matched_to_definitions') }}
    where is_match and definition in ({{ rule_definitions }})

),

filter_verdicts as (

    select * from {{ ref('int_filter_verdicts') }}

)

select
    documents.document_id,
    documents.document_type,
    documents.shard,
    documents.text_hash,
    documents.title,
    documents.abstract,
    document_languages.language,
    outer_classifiers.model_version as outer_model_version,
    outer_classifiers.threshold as outer_threshold,
    inner_classifiers.model_version as inner_model_version,
    inner_classifiers.threshold as inner_threshold,
    filter_verdicts.model_version as filter_model_version,
    filter_verdicts.score as filter_score,
    filter_verdicts.threshold as filter_threshold,
    case
        when {{ trimmed('documents.match_text') }} = '' then 'no_text'
        -- An unknown language is that of a short text, most often a title in English.
        when
            outer_classifiers.model_version is null or inner_classifiers.model_version is null
            then 'language_not_supported'
        when
            matched_documents.document_id is null
            and (
                documents.document_type = 'paper' and '{{ var("classified_papers") }}' = 'rules'
                or documents.document_type = 'patent' and '{{ var("classified_patents") }}' = 'rules'
            )
            then 'no_rule_matches'
        when filter_verdicts.is_below_threshold and not filter_verdicts.is_audited then 'below_word_filter'
    end as refusal
from documents
inner join document_languages on documents.document_id = document_languages.document_id
left join outer_classifiers
    on
        documents.document_type = outer_classifiers.document_type
        and case
            when document_languages.language is null then outer_classifiers.judges_unknown_language
            else array_contains(outer_classifiers.languages, document_languages.language)
        end
left join inner_classifiers
    on
        documents.document_type = inner_classifiers.document_type
        and case
            when document_languages.language is null then inner_classifiers.judges_unknown_language
            else array_contains(inner_classifiers.languages, document_languages.language)
        end
left join matched_documents on documents.document_id = matched_documents.document_id
left join filter_verdicts on documents.document_id = filter_verdicts.document_id
