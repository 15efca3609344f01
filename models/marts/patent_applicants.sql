with

patents as (

    select * from {{ ref('int_patents_deduplicated') }}

)

select
    patents.document_id,
    cast(applicant_position as integer) as applicant_position,
    applicant.applicant_name,
    applicant.country_code
from patents
{{ unnest_list('patents.applicants', 'applicant', 'applicant_position') }}
where applicant.applicant_name is not null
