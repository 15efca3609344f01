with

patents as (

    select * from {{ ref('int_documents_unioned') }}
    where document_type = 'patent'

),

families as (

    select
        document_id,
        place_in_family = 1 as is_family_representative
    from {{ ref('int_patent_families') }}

),

numbers as (

    select * from {{ ref('document_numbers') }}

),

languages as (

    select * from {{ ref('int_document_languages') }}

),

decisions as (

    select * from {{ ref('int_documents_decided') }}

),

keywords as (

    select * from {{ ref('int_documents_keyworded') }}

),

novelty as (

    select * from {{ ref('document_novelty') }}

),

embeddings as (

    select * from {{ ref('int_document_vectors') }}

),

{% for scheme in ['ipc', 'cpc'] %}
{{ scheme }} as (

    select
        document_id,
        {{ list_ordered('code', 'code_place') }} as {{ scheme }}_codes
    from (
        select
            document_id,
            code,
            row_number() over (
                partition by document_id
                order by is_first desc, code_position asc, code asc
            ) as code_place
        from {{ ref('int_document_codes') }}
        where scheme = '{{ scheme }}'
    ) as codes
    group by document_id

),

{% endfor %}

applicants as (

    select
        document_id,
        {{ list_ordered('applicant_name', 'applicant_position') }} as applicants
    from {{ ref('patent_applicants') }}
    group by document_id

),

countries as (

    select
        document_id,
        array_sort(array_agg(country_code)) as country_codes
    from {{ ref('document_countries') }}
    group by document_id

),

inventors as (

    select
        document_id,
        {{ list_ordered('author_name', 'author_position') }} as inventors
    from {{ ref('document_authors') }}
    group by document_id

)

select
    patents.document_id,
    numbers.document_number,
    patents.publication_number,
    patents.application_number,
    patents.family_id,
    families.is_family_representative,
    patents.office_code,
    patents.kind_code,
    patents.title,
    patents.abstract,
    languages.language,
    languages.language_source,
    patents.year,
    patents.year_basis,
    patents.publication_date,
    patents.filing_date,
    patents.priority_date,
    patents.grant_date,
    ipc.ipc_codes,
    cpc.cpc_codes,
    applicants.applicants,
    countries.country_codes,
    inventors.inventors,
    decisions.is_ai,
    decisions.decided_by,
    decisions.decision_source,
    decisions.reason as decision_reason,
    decisions.outer_probability,
    decisions.inner_probability,
    keywords.keywords,
    keywords.keyword_source,
    novelty.novelty,
    novelty.novelty_percentile,
    novelty.surprise,
    novelty.known_keywords,
    case when novelty.document_id is null then 'no_keywords' else novelty.novelty_reason end as novelty_reason,
    novelty.novelty_model_version,
    novelty.context_novelty,
    novelty.context_novelty_percentile,
    patents.source_system,
    patents.source_name,
    patents.source_record_id,
    patents.text_hash,
    embeddings.model_version as embedding_model_version
from patents
inner join families on patents.document_id = families.document_id
inner join numbers on patents.document_id = numbers.document_id
inner join languages on patents.document_id = languages.document_id
inner join decisions on patents.document_id = decisions.document_id
left join keywords on patents.document_id = keywords.document_id
left join novelty on patents.document_id = novelty.document_id
left join embeddings on keywords.document_id = embeddings.document_id
left join ipc on patents.document_id = ipc.document_id
left join cpc on patents.document_id = cpc.document_id
left join applicants on patents.document_id = applicants.document_id
left join countries on patents.document_id = countries.document_id
left join inventors on patents.document_id = inventors.document_id
