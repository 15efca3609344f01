-- The columns are named as in the published header; neither engine needs quotes for that, and each has its own.
-- noqa: disable=capitalisation.identifiers,aliasing.self_alias.column
-- depends_on: {{ ref('matching_audit') }}
-- depends_on: {{ ref('filter_audit') }}
-- depends_on: {{ ref('delivery_warnings') }}
with

patents as (

    select
        *,
        coalesce(ipc_codes, cpc_codes, {{ empty_text_list() }}) as codes
    from {{ ref('patents') }}
    where is_ai

)

select
    document_number as ID,
    coalesce(publication_number, document_id) as PN,
    {{ to_json_text(list_map('codes', 'code', "replace(code, ' ', '')")) }} as IPC,
    title as Title,
    abstract as Abstract,
    year as Year,
    {{ to_json_text('keywords') }} as Keywords,
    surprise as Novelty
from patents
order by Year nulls last, ID
