-- depends_on: {{ ref('matching_audit') }}
select * from {{ ref('patents') }}
where is_ai
order by year nulls last, document_number
