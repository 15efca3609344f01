with

papers as (

    select * from {{ ref('int_vectors_compared') }}
    where document_type = 'paper'

),

ranked as (

    select
        *,
        row_number() over (partition by embedding_text, year order by md5(document_id), document_id) as place,
        count(*) over (partition by embedding_text, year) as papers_of_year,
        count(*) over (partition by embedding_text) as papers
    from papers

),

-- Of every year its share of the sample, and of years with few papers at least five.
drawn as (

    select
        *,
        least(
            papers_of_year,
            greatest(5, cast(ceil({{ var('audited_papers') }} * 1.0 * papers_of_year / papers) as bigint))
        ) as drawn_of_year
    from ranked

)

select
    embedding_text,
    document_id,
    year,
    cast(papers_of_year as double) / drawn_of_year as papers_represented,
    embedding,
    model_version
from drawn
where place <= drawn_of_year
