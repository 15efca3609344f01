-- The matches hold documents times definitions, no pair twice and none missing.
with

matches as (

    select
        document_id,
        count(*) as definitions_met,
        count(distinct definition) as different_definitions_met
    from {{ ref('int_documents_matched_to_definitions') }}
    group by document_id

),

expected as (

    select count(*) as definitions from {{ ref('definitions') }}

)

select
    documents.document_id,
    matches.definitions_met
from {{ ref('int_documents_unioned') }} as documents
cross join expected
left join matches
    on documents.document_id = matches.document_id
where
    matches.definitions_met is null
    or matches.definitions_met <> expected.definitions
    or matches.different_definitions_met <> expected.definitions
