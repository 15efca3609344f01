{% for system, model in staging_models('patents').items() %}
select
    record_file,
    record_row,
    '{{ system }}' as source_system,
    source_name,
    source_record_id,
    delivered_document_id as record_document_id,
    publication_number,
    application_number,
    family_id,
    title,
    abstract,
    language,
    year,
    year_basis,
    publication_date,
    filing_date,
    priority_date,
    grant_date,
    inventors,
    applicants,
    codes,
    office_code as delivered_office_code,
    label_is_ai,
    label_source,
    rejection_reason,
    raw_record
from {{ ref(model) }}
{{ 'union all' if not loop.last }}
{% endfor %}
