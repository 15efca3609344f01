with

documents as (

    select * from {{ ref('int_documents_unioned') }}

),

document_languages as (

    select * from {{ ref('int_document_languages') }}

),

accepted as (

    select
        document_id,
        outer_probability
    from {{ ref('int_documents_decided') }}
    where outer_probability >= outer_threshold

)

select
    documents.document_id,
    documents.document_type,
    documents.title,
    documents.abstract,
    documents.text_hash,
    documents.source_name,
    documents.year,
    document_languages.language,
    accepted.outer_probability,
    documents.document_type
    || ', ' || case
        when documents.year is null then 'year unknown'
        when documents.year < 1990 then 'before 1990'
        else
            cast(documents.year - documents.year % 5 as string)
            || '-' || cast(documents.year - documents.year % 5 + 4 as string)
    end
    || ', ' || case
        when accepted.outer_probability < 0.25 then 'probability below .25'
        when accepted.outer_probability < 0.5 then 'probability .25-.5'
        when accepted.outer_probability < 0.75 then 'probability .5-.75'
        when accepted.outer_probability < 0.9 then 'probability .75-.9'
        else 'probability above .9'
    end as sampling_stratum
from accepted
inner join documents on accepted.document_id = documents.document_id
left join document_languages on accepted.document_id = document_languages.document_id
