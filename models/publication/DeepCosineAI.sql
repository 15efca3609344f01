-- The columns are named as in the published header; neither engine needs quotes for that, and each has its own.
-- noqa: disable=capitalisation.identifiers,aliasing.self_alias.column
-- depends_on: {{ ref('matching_audit') }}
-- depends_on: {{ ref('filter_audit') }}
-- depends_on: {{ ref('delivery_warnings') }}
with

first_pairs as (

    select * from {{ ref('paper_patent_pairs') }}
    where rank = 1 and space = '{{ var('published_space') }}'

)

select
    paper_number as Paper_ID,
    patent_number as Patent_ID,
    similarity as Similarity
from first_pairs
order by Paper_ID
