with

pairs as (

    select * from {{ ref('int_pairs_ranked') }}

),

calibrations as (

    select * from {{ ref('int_confidences_calibrated') }}
    where band = 'all'

),

related_calibrations as (

    select * from {{ ref('relatedness_calibrations') }}
    where basis = 'similarity and words' and level = 'related'

),

close_calibrations as (

    select * from {{ ref('relatedness_calibrations') }}
    where basis = 'similarity and words' and level = 'close'

),

patents as (

    select
        space,
        document_id,
        year_basis
    from {{ ref('int_documents_compared') }}
    where document_type = 'patent'

),

families as (

    select
        document_id,
        family_id
    from {{ ref('int_patent_families') }}

),

numbers as (

    select * from {{ ref('document_numbers') }}

)

select
    pairs.space,
    pairs.paper_id,
    pairs.patent_id,
    cast(pairs.rank as integer) as rank,
    cast(pairs.similarity as float) as similarity,
    cast(pairs.similarity_rank as integer) as similarity_rank,
    cast(pairs.word_score as float) as word_score,
    {{ calibrated_probability('calibrations', 'csls_slope', 'pairs.csls') }} as confidence,
    calibrations.confidence_basis,
    {{ calibrated_probability('related_calibrations', 'word_score_slope', 'pairs.word_score') }} as relatedness,
    {{ calibrated_probability('close_calibrations', 'word_score_slope', 'pairs.word_score') }} as closeness,
    cast(pairs.paper_year as integer) as paper_year,
    cast(pairs.patent_year as integer) as patent_year,
    patents.year_basis as patent_year_basis,
    cast(pairs.patent_year - pairs.paper_year as integer) as lag_years,
    families.family_id as patent_family_id,
    cast(pairs.patent_papers as integer) as patent_papers,
    cast(pairs.reverse_rank as integer) as reverse_rank,
    cast(pairs.mutual_rank as float) as mutual_rank,
    cast(pairs.csls as float) as csls,
    paper_numbers.document_number as paper_number,
    patent_numbers.document_number as patent_number,
    pairs.method,
    pairs.model_version,
    pairs.matching_version
from pairs
inner join calibrations on pairs.space = calibrations.space
left join related_calibrations
    on
        pairs.space = 'title_abstract'
        and split_part(pairs.model_version, '/', 2) = related_calibrations.encoder_hash
left join close_calibrations on related_calibrations.encoder_hash = close_calibrations.encoder_hash
inner join patents on pairs.space = patents.space and pairs.patent_id = patents.document_id
inner join families on pairs.patent_id = families.document_id
inner join numbers as paper_numbers on pairs.paper_id = paper_numbers.document_id
inner join numbers as patent_numbers on pairs.patent_id = patent_numbers.document_id
