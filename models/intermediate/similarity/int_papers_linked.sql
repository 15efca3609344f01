with

judged_papers as (

    select distinct paper_id
    from {{ ref('int_links_judged') }}
    where reason is null

),

papers as (

    select * from {{ ref('int_documents_searched') }}
    where document_type = 'paper'

)

select papers.*
from papers
inner join judged_papers on papers.document_id = judged_papers.paper_id
