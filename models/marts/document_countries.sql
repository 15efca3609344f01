with

shares as (

    select * from {{ ref('document_country_shares') }}
    where country_code is not null and role <> 'office'

),

documents_of_applicants as (

    select distinct document_id from shares
    where role = 'applicant'

)

-- Inventors say where a patent is from only where no applicant does.
select distinct
    shares.document_id,
    shares.country_code,
    shares.current_code
from shares
left join documents_of_applicants on shares.document_id = documents_of_applicants.document_id
where shares.role <> 'inventor' or documents_of_applicants.document_id is null
