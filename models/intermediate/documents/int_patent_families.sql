with

patents as (

    select
        document_id,
        family_id,
        filing_date,
        publication_date,
        abstract is not null as has_abstract,
        coalesce({{ regexp_first('language', '^(en|EN|En)') }} <> '', false) as is_english
    from {{ ref('int_documents_unioned') }}
    where document_type = 'patent'

)

-- A patent without a family is one by itself.
select
    document_id,
    family_id,
    cast(row_number() over (
        partition by coalesce('family ' || family_id, document_id)
        order by
            filing_date asc nulls last,
            has_abstract desc,
            is_english desc,
            publication_date asc nulls last,
            document_id asc
    ) as integer) as place_in_family
from patents
