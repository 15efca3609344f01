with

papers as (

    select * from {{ ref('int_documents_unioned') }}
    where document_type = 'paper'

),

details as (

    select
        document_id,
        categories,
        is_retracted
    from {{ ref('int_papers_deduplicated') }}

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

authors as (

    select
        document_id,
        {{ list_ordered('author_name', 'author_position') }} as authors
    from {{ ref('document_authors') }}
    group by document_id

),

institution_names as (

    select
        document_id,
        institution_name,
        min(coalesce(author_position, 0) * 1000 + institution_position) as place
    from {{ ref('document_institutions') }}
    group by document_id, institution_name

),

institutions as (

    select
        document_id,
        {{ list_ordered('institution_name', 'place') }} as institutions
    from institution_names
    group by document_id

),

countries as (

    select
        document_id,
        array_sort(array_agg(country_code)) as country_codes
    from {{ ref('document_countries') }}
    group by document_id

)

select
    papers.document_id,
    numbers.document_number,
    papers.doi,
    papers.title,
    papers.abstract,
    languages.language,
    languages.language_source,
    papers.year,
    papers.publication_date,
    papers.venue,
    papers.work_type,
    papers.cited_by_count,
    details.categories,
    details.is_retracted,
    authors.authors,
    institutions.institutions,
    countries.country_codes,
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
    papers.source_system,
    papers.source_name,
    papers.source_record_id,
    papers.text_hash,
    embeddings.model_version as embedding_model_version
from papers
inner join details on papers.document_id = details.document_id
inner join numbers on papers.document_id = numbers.document_id
inner join languages on papers.document_id = languages.document_id
inner join decisions on papers.document_id = decisions.document_id
left join keywords on papers.document_id = keywords.document_id
left join novelty on papers.document_id = novelty.document_id
left join embeddings on keywords.document_id = embeddings.document_id
left join authors on papers.document_id = authors.document_id
left join institutions on papers.document_id = institutions.document_id
left join countries on papers.document_id = countries.document_id
