with

google_publications as (

    select * from {{ ref('stg_google_patents__publications') }}

),

tables_patents as (

    select * from {{ ref('stg_tables__patents') }}

),

google_patents as (

    select
        record_file,
        record_row,
        'google_patents' as source_system,
        'google_patents' as source_name,
        source_record_id,
        publication_number as record_document_id,
        publication_number,
        application_number,
        family_id,
        title,
        abstract,
        language,
        cast(year(coalesce(filing_date, priority_date, publication_date)) as bigint) as year,
        case
            when filing_date is not null then 'filing'
            when priority_date is not null then 'priority'
            when publication_date is not null then 'publication'
        end as year_basis,
        publication_date,
        filing_date,
        priority_date,
        grant_date,
        inventors,
        applicants,
        codes,
        cast(null as string) as delivered_office_code,
        cast(null as boolean) as label_is_ai,
        cast(null as string) as label_source,
        rejection_reason,
        raw_record
    from google_publications

),

other_patents as (

    select
        record_file,
        record_row,
        'tables' as source_system,
        source_name,
        source_record_id,
        coalesce(publication_number, source_name || ':' || source_record_id) as record_document_id,
        publication_number,
        application_number,
        family_id,
        title,
        abstract,
        language,
        year,
        case when year is not null then coalesce(year_basis, 'unknown') end as year_basis,
        cast(null as date) as publication_date,
        cast(null as date) as filing_date,
        cast(null as date) as priority_date,
        cast(null as date) as grant_date,
        inventors,
        applicants,
        codes,
        office_code as delivered_office_code,
        label_is_ai,
        label_source,
        rejection_reason,
        raw_record
    from tables_patents

)

select * from google_patents

union all

select * from other_patents
