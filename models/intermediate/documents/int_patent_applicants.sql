with

patents as (

    select * from {{ ref('int_patents_deduplicated') }}

),

google_applicants as (

    select
        patents.document_id,
        applicant_position,
        {{ clean_text('applicant.name') }} as applicant_name,
        upper({{ clean_text('applicant.country_code') }}) as country_code
    from patents
    inner join {{ ref('stg_google_patents__publications') }} as publications
        on patents.record_file = publications.record_file and patents.record_row = publications.record_row
    {{ unnest_list('publications.applicants', 'applicant', 'applicant_position') }}

),

-- The harmonised names are missing for some publications; the names as printed are not.
google_applicants_as_printed as (

    select
        patents.document_id,
        applicant_position,
        {{ clean_text('applicant_name') }} as applicant_name,
        cast(null as string) as country_code
    from patents
    inner join {{ ref('stg_google_patents__publications') }} as publications
        on patents.record_file = publications.record_file and patents.record_row = publications.record_row
    {{ unnest_list('publications.applicant_names', 'applicant_name', 'applicant_position') }}
    where {{ list_length('publications.applicants') }} = 0

),

tables_applicants as (

    select
        patents.document_id,
        applicant_position,
        applicant_name,
        cast(null as string) as country_code
    from patents
    inner join {{ ref('stg_tables__patents') }} as tables_patents
        on patents.record_file = tables_patents.record_file and patents.record_row = tables_patents.record_row
    {{ unnest_list('tables_patents.applicants', 'applicant_name', 'applicant_position') }}

),

unioned as (

    {% for relation in ['google_applicants', 'google_applicants_as_printed', 'tables_applicants'] %}
    select * from {{ relation }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    document_id,
    cast(applicant_position as integer) as applicant_position,
    applicant_name,
    country_code
from unioned
where applicant_name is not null
