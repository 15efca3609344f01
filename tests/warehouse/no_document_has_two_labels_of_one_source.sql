-- A source that contradicts itself gives one row without an answer, never two rows.
select
    document_id,
    label_source
from {{ ref('int_documents_labelled') }}
group by document_id, label_source
having count(*) > 1
