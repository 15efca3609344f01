with

documents as (

    select
        document_id,
        year
    from {{ ref('int_documents_unioned') }}

),

matched_definitions as (

    select * from {{ ref('int_documents_matched_to_definitions') }}

),

matches as (

    select
        matched_definitions.document_id,
        matched_definitions.document_type,
        matched_definitions.definition,
        matched_definitions.is_match,
        documents.year
    from matched_definitions
    inner join documents
        on matched_definitions.document_id = documents.document_id

),

totals as (

    select
        document_type,
        year,
        definition,
        count(*) as documents,
        count(*) filter (where is_match) as matching_documents
    from matches
    group by document_type, year, definition

),

shared_documents as (

    select
        first_definition.document_type,
        first_definition.year,
        first_definition.definition as definition_a,
        second_definition.definition as definition_b,
        count(*) as documents_both
    from matches as first_definition
    inner join matches as second_definition
        on first_definition.document_id = second_definition.document_id
    where
        first_definition.is_match
        and second_definition.is_match
        and first_definition.definition <= second_definition.definition
    group by
        first_definition.document_type,
        first_definition.year,
        first_definition.definition,
        second_definition.definition

),

-- Documents without a year form a group of their own, so nulls must meet nulls.
pairs as (

    select
        first_total.document_type,
        first_total.year,
        first_total.definition as definition_a,
        second_total.definition as definition_b,
        first_total.documents,
        first_total.matching_documents as documents_a,
        second_total.matching_documents as documents_b,
        coalesce(shared_documents.documents_both, 0) as documents_both
    from totals as first_total
    inner join totals as second_total
        on
            first_total.document_type = second_total.document_type
            and first_total.year is not distinct from second_total.year
            and first_total.definition <= second_total.definition
    left join shared_documents
        on
            first_total.document_type = shared_documents.document_type
            and first_total.year is not distinct from shared_documents.year
            and first_total.definition = shared_documents.definition_a
            and second_total.definition = shared_documents.definition_b

)

select
    document_type,
    year,
    definition_a,
    definition_b,
    documents,
    documents_a,
    documents_b,
    documents_both,
    documents_a + documents_b - documents_both as documents_either,
    cast(documents_both as double) / nullif(documents_a + documents_b - documents_both, 0) as jaccard
from pairs
