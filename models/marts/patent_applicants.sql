select * from {{ ref('int_patent_applicants') }}
