with

papers as (

    select * from {{ ref('int_documents_compared') }}
    where document_type = 'paper'

),

vectors as (

    {{ compared_vectors(ref('int_documents_embedded'), ref('int_keyword_texts_embedded')) }}

),

ranked as (

    select
        *,
        row_number() over (partition by space, year order by md5(document_id), document_id) as place,
        count(*) over (partition by space, year) as papers_of_year,
        count(*) over (partition by space) as papers
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
    drawn.space,
    drawn.document_id,
    drawn.year,
    cast(drawn.papers_of_year as double) / drawn.drawn_of_year as papers_represented,
    vectors.embedding,
    drawn.model_version
from drawn
inner join vectors
    on
        drawn.space = vectors.space
        and drawn.document_id = vectors.document_id
        and drawn.text_hash = vectors.text_hash
        and drawn.model_version = vectors.model_version
where drawn.place <= drawn.drawn_of_year
