-- Merging has reached its end: no id, no id of arXiv and no pair that was found to be one paper is of two documents.
with

documents as (

    select distinct
        record_document_id,
        document_id
    from {{ ref('int_papers_identified') }}

)

select
    'id' as kind,
    record_document_id as shared
from documents
group by record_document_id
having count(*) > 1

union all

select
    'arxiv_id' as kind,
    keyed.arxiv_id as shared
from {{ ref('int_papers_keyed') }} as keyed
inner join documents on keyed.record_document_id = documents.record_document_id
where keyed.arxiv_id is not null
group by keyed.arxiv_id
having count(distinct documents.document_id) > 1

union all

select
    pairs.merge_rule as kind,
    pairs.first_id || ' ' || pairs.second_id as shared
from {{ ref('int_papers_paired') }} as pairs
inner join documents as firsts on pairs.first_id = firsts.record_document_id
inner join documents as seconds on pairs.second_id = seconds.record_document_id
where firsts.document_id <> seconds.document_id
