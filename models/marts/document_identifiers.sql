{% set identifiers = {
    'openalex': "case when " ~ regexp_first('record_document_id', '^W[0-9]+$') ~ " <> '' then record_document_id end",
    'merged_openalex': "case when " ~ regexp_first('source_record_id', '^W[0-9]+$') ~ " <> ''
        and source_record_id <> record_document_id then source_record_id end",
    'doi': 'doi',
    'arxiv': 'arxiv_id',
    'publication_number': 'publication_number',
    'application_number': 'application_number',
    'source_record_id': 'source_record_id',
} %}
with

records as (

    select * from {{ ref('int_document_records') }}

),

identifiers as (

    {% for kind, identifier in identifiers.items() %}
    select
        document_id,
        document_type,
        '{{ 'openalex' if kind == 'merged_openalex' else kind }}' as identifier_kind,
        {{ identifier }} as identifier,
        {{ 'source_name' if kind == 'source_record_id' else "cast(null as string)" }} as source_name
    from records
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select distinct
    document_id,
    document_type,
    identifier_kind,
    identifier,
    source_name
from identifiers
where identifier is not null
