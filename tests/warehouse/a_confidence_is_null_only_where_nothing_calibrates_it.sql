-- A confidence is missing exactly where its basis says that nothing calibrates it.
select
    space,
    paper_id,
    rank
from {{ ref('paper_patent_pairs') }}
where (confidence is null) <> (confidence_basis = 'no_links')
