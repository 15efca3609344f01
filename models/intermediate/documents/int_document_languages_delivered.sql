with

documents as (

    select
        document_id,
        {{ lower_case(trimmed('language')) }} as delivered_form
    from {{ ref('int_documents_unioned') }}
    where language is not null

),

language_forms as (

    select * from {{ ref('language_forms') }}

),

-- Of `en-us` and `zh_hans` only the language counts.
shortened as (

    select
        document_id,
        coalesce(
            nullif({{ regexp_first('delivered_form', '^([a-z]{2,3})[_-][a-z0-9_-]+$', 1) }}, ''),
            delivered_form
        ) as delivered_form
    from documents

)

select
    shortened.document_id,
    language_forms.language
from shortened
inner join language_forms on shortened.delivered_form = language_forms.delivered_form
