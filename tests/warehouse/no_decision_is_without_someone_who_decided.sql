-- A document is assessed exactly when someone decided on it, and who it was is always named.
select document_id
from {{ ref('int_documents_decided') }}
where
    (is_ai is null) <> (decided_by is null)
    or (is_ai is not null and decision_source is null)
    or (decided_by = 'filter' and (filter_score is null or filter_score >= filter_threshold))
    or (decided_by = 'outer' and (outer_probability is null or outer_probability >= outer_threshold))
    or (decided_by = 'inner' and (inner_probability is null or outer_probability < outer_threshold))
