with

institutions as (

    select * from {{ ref('int_document_institutions') }}

),

organisations as (

    select * from {{ ref('int_document_organisations') }}
    where institution_role = 'author'

)

select
    institutions.document_id,
    institutions.author_position,
    institutions.institution_position,
    institutions.institution_name,
    institutions.institution_id,
    institutions.ror,
    institutions.country_code,
    organisations.institution_key
from institutions
inner join organisations
    on
        institutions.document_id = organisations.document_id
        and institutions.author_position is not distinct from organisations.member_position
        and institutions.institution_position = organisations.institution_position
