select * from {{ ref('int_papers_identified') }}
where is_survivor
