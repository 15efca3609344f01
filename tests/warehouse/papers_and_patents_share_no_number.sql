-- Joining a paper's id to a patent's finds nothing: the commonest mistake made with the published files.
select papers.document_number
from {{ ref('papers') }} as papers
inner join {{ ref('patents') }} as patents on papers.document_number = patents.document_number
