with

patents as (

    select * from {{ ref('int_documents_compared') }}
    where document_type = 'patent'

),

vectors as (

    {{ compared_vectors(ref('int_documents_embedded'), ref('int_keyword_texts_embedded')) }}

),

years as (

    select
        space,
        year,
        count(*) as patents
    from patents
    group by space, year

),

-- Counted from the first year on, so that new patents, which are of the last years, leave the other blocks alone.
counted as (

    select
        space,
        year,
        sum(patents) over (partition by space order by year) - patents as earlier_patents,
        cast(ceil(patents / {{ var('patents_per_block') }}) as bigint) as parts
    from years

)

-- A worker holds a block whole, so a year of more patents than a block should have is cut by a hash.
select
    patents.space,
    patents.document_id,
    patents.year,
    cast(
        floor(counted.earlier_patents / {{ var('patents_per_block') }}) * 1000
        + {{ hex_to_bigint("substring(md5(patents.document_id), 1, 8)") }} % counted.parts as integer
    ) as block,
    vectors.embedding,
    patents.model_version,
    not patents.is_unchanged as is_new
from patents
inner join counted on patents.space = counted.space and patents.year = counted.year
inner join vectors
    on
        patents.space = vectors.space
        and patents.document_id = vectors.document_id
        and patents.text_hash = vectors.text_hash
        and patents.model_version = vectors.model_version
