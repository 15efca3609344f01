with

matches as (

    select * from {{ ref('int_papers_matched_to_patents') }}

),

patents as (

    select
        embedding_text,
        document_id,
        year_basis
    from {{ ref('int_vectors_compared') }}
    where document_type = 'patent'

),

numbers as (

    select * from {{ ref('document_numbers') }}

)

select
    matches.embedding_text,
    matches.paper_id,
    matches.patent_id,
    cast(matches.rank as integer) as rank,
    cast(matches.similarity as float) as similarity,
    cast(matches.paper_year as integer) as paper_year,
    cast(matches.patent_year as integer) as patent_year,
    patents.year_basis as patent_year_basis,
    cast(matches.patent_year - matches.paper_year as integer) as lag_years,
    paper_numbers.document_number as paper_number,
    patent_numbers.document_number as patent_number,
    matches.method,
    matches.model_version
from matches
inner join patents on matches.embedding_text = patents.embedding_text and matches.patent_id = patents.document_id
inner join numbers as paper_numbers on matches.paper_id = paper_numbers.document_id
inner join numbers as patent_numbers on matches.patent_id = patent_numbers.document_id
