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
        sum(patents) over (partition by embedding_text order by year) - patents as earlier_patents,
        cast(ceil(patents / {{ var('patents_per_block') }}) as bigint) as parts
    from years

)

-- A worker holds a block whole, so a year of more patents than a block should have is cut by a hash.
select
    patents.embedding_text,
    patents.document_id,
    patents.year,
    cast(
        floor(counted.earlier_patents / {{ var('patents_per_block') }}) * 1000
        + {{ hex_to_bigint("substring(md5(patents.document_id), 1, 8)") }} % counted.parts as integer
    ) as block,
    patents.embedding,
    patents.model_version
from patents
inner join counted on patents.embedding_text = counted.embedding_text and patents.year = counted.year
