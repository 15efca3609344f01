with

patents as (

    select * from {{ ref('int_vectors_compared') }}
    where document_type = 'patent'

),

years as (

    select
        embedding_text,
        year,
        count(*) as patents
    from patents
    group by embedding_text, year

),

-- Counted from the first year on, so that new patents, which are of the last years, leave the other blocks alone.
counted as (

    select
        embedding_text,
        year,
        sum(patents) over (partition by embedding_text order by year) - patents as earlier_patents
    from years

)

select
    patents.embedding_text,
    patents.document_id,
    patents.year,
    cast(floor(counted.earlier_patents / {{ var('patents_per_block') }}) as integer) as block,
    patents.embedding,
    patents.model_version
from patents
inner join counted on patents.embedding_text = counted.embedding_text and patents.year = counted.year
