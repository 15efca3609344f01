select distinct
    phrase,
    {{ shard('phrase') }} as shard
from {{ ref('int_document_candidates') }}
