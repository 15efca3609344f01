select * from {{ ref('int_document_codes') }}
