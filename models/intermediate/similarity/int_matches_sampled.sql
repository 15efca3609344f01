select matches.*
from {{ ref('int_papers_matched_to_patents') }} as matches
inner join {{ ref('int_papers_sampled') }} as papers
    on matches.embedding_text = papers.embedding_text and matches.paper_id = papers.document_id
