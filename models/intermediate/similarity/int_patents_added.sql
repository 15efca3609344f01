select compared.*
from {{ ref('int_patents_compared') }} as compared
left join {{ ref('int_vectors_unchanged') }} as unchanged
    on compared.embedding_text = unchanged.embedding_text and compared.document_id = unchanged.document_id
where unchanged.document_id is null
