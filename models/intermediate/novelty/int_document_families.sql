with

documents as (

    select
        document_id,
        document_type,
        year,
        coalesce('family ' || family_id, document_id) as family_key
    from {{ ref('int_documents_unioned') }}

),

first_years as (

    select
        document_type,
        family_key,
        cast(min(year) as integer) as year
    from documents
    group by document_type, family_key

)

select
    documents.document_id,
    documents.document_type,
    documents.family_key,
    first_years.year
from documents
inner join {{ ref('int_document_texts') }} as texts on documents.document_id = texts.document_id
inner join first_years
    on documents.document_type = first_years.document_type and documents.family_key = first_years.family_key
