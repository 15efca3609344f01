-- A paper goes without a pair only where no AI patent is of its year or later, within the lag that is asked for.
with

compared as (

    select * from {{ ref('int_documents_compared') }}

),

pairs as (

    select
        space,
        paper_id
    from {{ ref('paper_patent_pairs') }}
    where rank = 1

),

patent_years as (

    select distinct
        space,
        year
    from compared
    where document_type = 'patent'

)

select distinct
    compared.space,
    compared.document_id
from compared
inner join patent_years
    on
        compared.space = patent_years.space
        and {{ is_in_time('compared.year', 'patent_years.year') }}
left join pairs
    on compared.space = pairs.space and compared.document_id = pairs.paper_id
where compared.document_type = 'paper' and pairs.paper_id is null
