with

-- Without what is large: abstracts, inventors, applicants and codes come back to the survivors in
-- int_patents_deduplicated.
patents as (

    select
        record_file,
        record_row,
        source_system,
        source_name,
        source_record_id,
        record_document_id,
        publication_number,
        application_number,
        family_id,
        title,
        length(abstract) as abstract_length,
        language,
        year,
        year_basis,
        publication_date,
        filing_date,
        priority_date,
        grant_date,
        delivered_office_code,
        label_is_ai,
        label_source
    from {{ ref('int_patents_unioned') }}
    where rejection_reason is null

),

-- Of several copies of one record of a source the one that was delivered last counts, as a whole; within one file none
-- is newer.
aged as (

    select
        *,
        rank() over (
            partition by source_system, source_name, source_record_id
            order by record_file desc
        ) > 1 as is_superseded
    from patents

),

ranked as (

    select
        *,
        row_number() over (
            partition by record_document_id
            order by
                is_superseded asc,
                abstract_length is null asc,
                year is null asc,
                source_system asc,
                abstract_length desc nulls last,
                source_name asc nulls last,
                source_record_id asc nulls last,
                title asc nulls last,
                record_file asc,
                record_row asc
        ) as fullness_rank
    from aged

),

-- What the fullest record does not know, the next fullest may.
filled as (

    select
        *,
        {{ first_known('case when not is_superseded then application_number end', 'from_the_fullest') }}
            as document_application_number,
        {{ first_known('case when not is_superseded then family_id end', 'from_the_fullest') }}
            as document_family_id,
        {{ first_known('case when not is_superseded then language end', 'from_the_fullest') }}
            as document_language
    from ranked
    window
        from_the_fullest as (
            partition by record_document_id
            order by fullness_rank
            rows between unbounded preceding and unbounded following
        )

)

select
    record_file,
    record_row,
    source_system,
    source_name,
    source_record_id,
    record_document_id as document_id,
    fullness_rank = 1 as is_survivor,
    is_superseded,
    case
        when fullness_rank = 1 then null
        when is_superseded then 'older_copy'
        else 'same_id'
    end as merge_rule,
    publication_number,
    application_number as record_application_number,
    document_application_number as application_number,
    document_family_id as family_id,
    document_language as language,
    year,
    year_basis,
    publication_date,
    filing_date,
    priority_date,
    grant_date,
    coalesce(
        nullif({{ regexp_first('publication_number', '^[A-Z]{2}') }}, ''),
        nullif({{ regexp_first('delivered_office_code', '^[A-Z]{2}$') }}, '')
    ) as office_code,
    nullif({{ regexp_first('publication_number', '^[A-Z]{2}-.*[0-9].*-([A-Z][0-9]?)$', 1) }}, '') as kind_code,
    case when not is_superseded then label_is_ai end as label_is_ai,
    case when not is_superseded then label_source end as label_source
from filled
