{% set names = {
    'source_record_id': 'source_record_id',
    'document_id': 'document_id',
    'record_document_id': 'record_document_id',
    'doi': 'doi',
    'arxiv_id': "'arXiv:' || arxiv_id",
    'publication_number_without_kind': "nullif(" ~ regexp_first('publication_number', '^(.*[0-9].*)-[A-Z][0-9]?$', 1) ~ ", '')",
} %}
with

records as (

    select * from {{ ref('int_document_records') }}

)

{% for kind, name in names.items() %}
select
    record_file,
    record_row,
    '{{ kind }}' as name_kind,
    document_type,
    source_name,
    {{ name }} as document_name,
    document_id,
    {{ 'true' if kind == 'publication_number_without_kind' else 'false' }} as is_shortened
from records
where {{ name }} is not null
{{ 'union all' if not loop.last }}
{% endfor %}
