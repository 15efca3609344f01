with

patents as (

    select * from {{ ref('int_patents_unioned') }}
    where rejection_reason is null

),

ranked as (

    select
        *,
        row_number() over (
            partition by record_document_id
            order by
                abstract is null asc,
                year is null asc,
                source_system asc,
                length(abstract) desc,
                source_name asc,
                source_record_id asc,
                title asc,
                record_file asc,
                record_row asc
        ) as fullness_rank
    from patents

)

select
    record_file,
    record_row,
    source_system,
    source_name,
    source_record_id,
    record_document_id as document_id,
    fullness_rank = 1 as is_survivor,
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
    coalesce(
        nullif(regexp_extract(publication_number, '^[A-Z]{2}', 0), ''),
        nullif(regexp_extract(delivered_office_code, '^[A-Z]{2}$', 0), '')
    ) as office_code,
    nullif(regexp_extract(publication_number, '[A-Z][0-9]?$', 0), '') as kind_code,
    label_is_ai,
    label_source
from ranked
