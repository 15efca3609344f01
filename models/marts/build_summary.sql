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

pairs as (

    select * from {{ ref('paper_patent_pairs') }}
    where embedding_text = '{{ var('embedding_text') }}'

),

audit as (

    select * from {{ ref('matching_audit') }}
    where embedding_text = '{{ var('embedding_text') }}'

),

measures as (

    {% for document_type in ['paper', 'patent'] %}
    select {{ loop.index }} as place, '{{ document_type }} records read' as measure,
        cast(sum(delivered_records) as double) as value
    from counts where document_type = '{{ document_type }}'

    union all

    select 2 + {{ loop.index }}, '{{ document_type }} records merged into another', cast(sum(merged_records) as double)
    from counts where document_type = '{{ document_type }}'

    union all

    select 4 + {{ loop.index }}, '{{ document_type }} records rejected', cast(sum(rejected_records) as double)
    from counts where document_type = '{{ document_type }}'

    union all

    select 6 + {{ loop.index }}, 'AI {{ document_type }}s', cast(sum(ai_documents) as double)
    from documents where document_type = '{{ document_type }}'

    union all

    {% endfor %}
    select 9, 'papers with a later patent', cast(count(distinct paper_id) as double) from pairs

    union all

    select 10, 'paper–patent pairs', cast(count(*) as double) from pairs

    union all

    select 11, 'audit: recall at 1', max(recall_at_1) from audit

    union all

    select 12, 'audit: recall at {{ var('top_k') }}', max(recall_at_k) from audit

)

select
    place,
    measure,
    coalesce(value, 0) as value
from measures
