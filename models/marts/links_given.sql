with

links as (

    select
        *,
        record_row - min(record_row) over (partition by record_file) + 1 as row_of_file
    from {{ ref('int_links_imported') }}

),

judged as (

    select * from {{ ref('int_links_judged') }}

)

select
    links.record_file,
    cast(links.row_of_file as bigint) as record_row,
    links.paper_record_id,
    links.patent_record_id,
    links.kind,
    links.paper_id,
    links.patent_id,
    coalesce(
        links.rejection_reason,
        case
            when links.paper_id is null then 'unknown_paper'
            when links.patent_id is null then 'unknown_patent'
        end,
        judged.reason
    ) as reason
from links
left join judged on links.paper_id = judged.paper_id and links.patent_id = judged.patent_id
