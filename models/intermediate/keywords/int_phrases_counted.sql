select
    phrase,
    cast(count(*) as integer) as document_frequency
from {{ ref('int_document_phrases') }}
group by phrase
having count(*) >= {{ var('minimum_document_frequency') }}
