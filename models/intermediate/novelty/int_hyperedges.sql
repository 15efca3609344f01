select
    members.corpus,
    members.document_type,
    members.hypergraph,
    members.document_id,
    members.hypergraph || ':' || members.document_id as hyperedge_id,
    members.year,
    {{ list_ordered('nodes.node_id', 'nodes.node_id') }} as nodes,
    members.weight
from {{ ref('int_hypergraph_members') }} as members
inner join {{ ref('int_hypergraph_nodes') }} as nodes on members.corpus = nodes.corpus and members.node = nodes.node
group by
    members.corpus,
    members.document_type,
    members.hypergraph,
    members.document_id,
    members.year,
    members.weight
