{% set most = 9999 if var('maximum_lag_years') is none else var('maximum_lag_years') %}
with

links as (

    select * from {{ ref('int_links_resolved') }}
    where is_same is not null

),

compared as (

    select
        embedding_text,
        document_id,
        document_type,
        year
    from {{ ref('int_vectors_compared') }}

),

pairs as (

    select * from {{ ref('int_pairs_hubness_corrected') }}

)

select
    papers.embedding_text,
    links.paper_id,
    links.patent_id,
    links.kind,
    links.is_same,
    pairs.rank,
    pairs.similarity,
    pairs.csls
from links
inner join compared as papers
    on links.paper_id = papers.document_id and papers.document_type = 'paper'
inner join compared as patents
    on
        links.patent_id = patents.document_id
        and patents.document_type = 'patent'
        and papers.embedding_text = patents.embedding_text
        and patents.year - papers.year between {{ var('minimum_lag_years') }} and {{ most }}
left join pairs
    on
        papers.embedding_text = pairs.embedding_text
        and links.paper_id = pairs.paper_id
        and links.patent_id = pairs.patent_id
