with

documents as (

    select * from {{ ref('int_documents_unioned') }}
    where {{ trimmed('abstract') }} <> ''

),

document_languages as (

    select * from {{ ref('int_document_languages') }}

),

decisions as (

    select * from {{ ref('int_documents_decided') }}
    where
        outer_probability is not null
        -- What a filter let pass would teach the next one a corpus without easy documents.
        and filter_score is null

),

assessed as (

    select * from {{ ref('int_documents_assessed') }}

),

keyed as (

    select
        documents.document_id,
        documents.document_type,
        documents.title,
        documents.abstract,
        document_languages.language,
        documents.source_name,
        {{ letters_of_title('documents.title', 'documents.document_id') }} as title_key,
        coalesce(
            decisions.outer_probability >= decisions.outer_threshold
            and decisions.inner_probability >= decisions.inner_threshold,
            false
        ) as is_accepted,
        decisions.outer_model_version || ' + ' || assessed.inner_model_version as model_version
    from documents
    inner join document_languages on documents.document_id = document_languages.document_id
    inner join decisions on documents.document_id = decisions.document_id
    inner join assessed on documents.document_id = assessed.document_id

)

select
    document_id,
    document_type,
    title,
    abstract,
    language,
    source_name,
    title_key,
    {{ split_of('title_key') }} as split,
    is_accepted,
    model_version
from keyed
