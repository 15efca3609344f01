select * from {{ ref('int_patents_identified') }}
where is_survivor
