with

papers as (

    select
        document_id,
        'paper' as document_type,
        source_system,
        source_name,
        source_record_id,
        title,
        abstract,
        language,
        cast(year as integer) as year,
        case when year is not null then 'publication' end as year_basis,
        doi,
        cast(null as string) as publication_number,
        cast(null as string) as office_code,
        cast(null as string) as kind_code,
        cast(null as string) as application_number,
        cast(null as string) as family_id,
        publication_date,
        cast(null as date) as filing_date,
        cast(null as date) as priority_date,
        cast(null as date) as grant_date,
        venue,
        work_type,
        cited_by_count,
        delivered_keywords
    from {{ ref('int_papers_deduplicated') }}

),

patents as (

    select
        document_id,
        'patent' as document_type,
        source_system,
        source_name,
        source_record_id,
        title,
        abstract,
        language,
        cast(year as integer) as year,
        year_basis,
        cast(null as string) as doi,
        publication_number,
        office_code,
        kind_code,
        application_number,
        family_id,
        publication_date,
        filing_date,
        priority_date,
        grant_date,
        cast(null as string) as venue,
        cast(null as string) as work_type,
        cast(null as integer) as cited_by_count,
        cast(null as {{ list_type('string') }}) as delivered_keywords
    from {{ ref('int_patents_deduplicated') }}

),

documents as (

    select * from papers

    union all

    select * from patents

)

select
    *,
    ' ' || {{ normalised_text("title || ' ' || coalesce(abstract, '')") }} || ' ' as match_text,
    md5(title || chr(10) || coalesce(abstract, '')) as text_hash,
    {{ shard('document_id') }} as shard
from documents
