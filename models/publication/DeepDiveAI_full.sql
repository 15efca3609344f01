-- depends_on: {{ ref('matching_audit') }}
select * from {{ ref('papers') }}
where is_ai
order by publication_year nulls last, document_number
