-- The columns are named as in the published header; neither engine needs quotes for that, and each has its own.
-- noqa: disable=capitalisation.identifiers,aliasing.self_alias.column
-- depends_on: {{ ref('matching_audit') }}
-- depends_on: {{ ref('filter_audit') }}
-- depends_on: {{ ref('delivery_warnings') }}
with

papers as (

    select * from {{ ref('papers') }}
    where is_ai

)

select
    document_number as ID,
    title as Title,
    venue as Source,
    abstract as Abstract,
    doi as DOI,
    year as Year,
    cited_by_count as Cited,
    {{ to_json_text('keywords') }} as Keywords,
    {{ to_json_text('coalesce(authors, ' ~ empty_text_list() ~ ')') }} as Name,
    language as Language,
    work_type as Type,
    {{ to_json_text('coalesce(institutions, ' ~ empty_text_list() ~ ')') }} as Affiliations,
    surprise as Novelty
from papers
order by Year nulls last, ID
