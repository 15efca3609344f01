-- `patent_papers` counts, and `reverse_rank` orders, exactly the pairs that the table holds of the patent.
select
    space,
    patent_id
from {{ ref('paper_patent_pairs') }}
group by space, patent_id
having
    count(*) <> max(patent_papers)
    or count(*) <> min(patent_papers)
    or count(*) <> max(reverse_rank)
    or count(*) <> count(distinct reverse_rank)
