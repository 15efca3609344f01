with

links as (

    select distinct
        paper_id,
        patent_id,
        kind
    from {{ ref('int_links_imported') }}
    where paper_id is not null and patent_id is not null

),

kinds as (

    select * from {{ ref('link_kinds') }}

),

-- A kind that the seed does not know is a claim of its user's that the two belong together.
ranked as (

    select
        links.paper_id,
        links.patent_id,
        links.kind,
        case when kinds.kind is null then true else kinds.is_same end as is_same,
        row_number() over (
            partition by links.paper_id, links.patent_id
            order by kinds.kind_priority nulls last, links.kind
        ) as place
    from links
    left join kinds on links.kind = kinds.kind

)

select
    paper_id,
    patent_id,
    kind,
    is_same
from ranked
where place = 1
