with

documents as (

    select * from {{ ref('documents') }}

),

-- A country that has changed its code counts once.
country_shares as (

    select
        document_id,
        role,
        current_code,
        sum(fractional_share) as fractional_share
    from {{ ref('document_country_shares') }}
    group by document_id, role, current_code

),

counts as (

    select
        documents.document_type,
        country_shares.role,
        country_shares.current_code as country_code,
        documents.language,
        count(*) as documents,
        count(*) filter (where documents.is_ai) as ai_documents,
        count(*) filter (where documents.is_ai is null) as undecided_documents,
        sum(country_shares.fractional_share) as fractional_documents,
        sum(case when documents.is_ai then country_shares.fractional_share else 0 end) as fractional_ai_documents
    from country_shares
    inner join documents on country_shares.document_id = documents.document_id
    group by documents.document_type, country_shares.role, country_shares.current_code, documents.language

)

select
    document_type,
    role,
    country_code,
    language,
    documents,
    ai_documents,
    undecided_documents,
    cast(undecided_documents as double) / documents as undecided_share,
    fractional_documents,
    fractional_ai_documents
from counts
