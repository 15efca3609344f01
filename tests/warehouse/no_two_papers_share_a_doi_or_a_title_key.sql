-- Merging has reached its end: no two documents share what makes records the same paper.
with

papers as (

    select * from {{ ref('int_papers_deduplicated') }}

)

select doi as shared_key
from papers
where doi is not null
group by doi
having count(*) > 1

union all

select title_key as shared_key
from papers
where title_key is not null
group by title_key
having count(*) > 1
