with

documents as (

    select * from {{ ref('int_documents_unioned') }}
    -- A title alone has too few words, and costs the layers little.
    where {{ trimmed('abstract') }} <> ''

),

document_languages as (

    select * from {{ ref('int_document_languages') }}

),

filters as (

    select * from {{ ref('int_word_filters_loaded') }}

),

filtered as (

    {{ as_of_last_build('int_documents_filtered', {
        'document_id': 'string',
        'text_hash': 'string',
        'model_version': 'string',
    }) }}

)

select
    documents.document_id,
    documents.document_type,
    documents.shard,
    documents.text_hash,
    documents.title,
    documents.abstract
from documents
inner join document_languages on documents.document_id = document_languages.document_id
inner join filters
    on
        documents.document_type = filters.document_type
        and array_contains(filters.languages, document_languages.language)
left join filtered
    on
        documents.document_id = filtered.document_id
        and documents.text_hash = filtered.text_hash
        and filters.model_version = filtered.model_version
where filtered.document_id is null
