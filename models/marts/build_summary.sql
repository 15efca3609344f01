with

counts as (

    select
        document_type,
        sum(delivered_records) as delivered_records,
        sum(merged_records) as merged_records,
        sum(rejected_records) as rejected_records
    from {{ ref('record_counts') }}
    group by document_type

),

documents as (

    select
        document_type,
        count(*) filter (where is_ai) as ai_documents
    from {{ ref('documents') }}
    group by document_type

),

rejected_records as (

    select * from {{ ref('rejected_records') }}

),

pairs as (

    select * from {{ ref('paper_patent_pairs') }}
    where space = '{{ var('compared_space') }}'

),

audit as (

    select * from {{ ref('matching_audit') }}
    where space = '{{ var('compared_space') }}' and paper_year is null

),

filter_audit as (

    select * from {{ ref('filter_audit') }}

),

measures as (

    {% for document_type in ['paper', 'patent'] %}
    select
        {{ loop.index }} as place,
        '{{ document_type }} records read' as measure,
        cast(coalesce(sum(delivered_records), 0) as double) as figure
    from counts
    where document_type = '{{ document_type }}'

    union all

    select
        2 + {{ loop.index }} as place,
        '{{ document_type }} records merged into another' as measure,
        cast(coalesce(sum(merged_records), 0) as double) as figure
    from counts
    where document_type = '{{ document_type }}'

    union all

    select
        4 + {{ loop.index }} as place,
        '{{ document_type }} records rejected' as measure,
        cast(coalesce(sum(rejected_records), 0) as double) as figure
    from counts
    where document_type = '{{ document_type }}'

    union all

    select
        6 + {{ loop.index }} as place,
        'AI {{ document_type }}s' as measure,
        cast(coalesce(sum(ai_documents), 0) as double) as figure
    from documents
    where document_type = '{{ document_type }}'

    union all

    {% endfor %}
    select
        9 as place,
        'labels rejected' as measure,
        cast(count(*) as double) as figure
    from rejected_records
    where entity = 'label'

    union all

    select
        10 as place,
        'links rejected' as measure,
        cast(count(*) as double) as figure
    from rejected_records
    where entity = 'link'

    union all

    select
        11 as place,
        'papers with a later patent' as measure,
        cast(count(distinct paper_id) as double) as figure
    from pairs

    union all

    select
        12 as place,
        'papers with a patent that is probably related' as measure,
        cast(count(distinct case when relatedness >= 0.5 then paper_id end) as double) as figure
    from pairs

    union all

    select
        13 as place,
        'paper–patent pairs' as measure,
        cast(count(*) as double) as figure
    from pairs

    union all

    select
        14 as place,
        'audit: recall at 1' as measure,
        max(recall_at_1) as figure
    from audit

    union all

    select
        15 as place,
        'audit: recall at {{ var('top_k') }}' as measure,
        max(recall_at_k) as figure
    from audit

    union all

    select
        case document_type when 'paper' then 16 else 17 end as place,
        'audit: recall of the word filter on ' || document_type || 's' as measure,
        recall as figure
    from filter_audit

)

select
    place,
    measure,
    figure
from measures
