with

members as (

    select
        document_type,
        'content' as hypergraph,
        document_id,
        year,
        keyword as node,
        weight
    from {{ ref('int_document_keywords_known') }}

    union all

    select
        document_type,
        'context' as hypergraph,
        document_id,
        year,
        context as node,
        weight
    from {{ ref('int_document_contexts') }}

)

select
    document_type || '_' || hypergraph as corpus,
    document_type,
    hypergraph,
    document_id,
    year,
    node,
    weight
from members
