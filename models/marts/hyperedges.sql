select
    edges.hyperedge_id,
    edges.corpus,
    edges.document_id,
    edges.year as novelty_year,
    edges.nodes,
    edges.weight,
    ranked.known_nodes,
    ranked.surprise,
    ranked.novelty,
    ranked.novelty_percentile,
    ranked.reason
from {{ ref('int_hyperedges') }} as edges
inner join {{ ref('int_documents_novelty_ranked') }} as ranked on edges.hyperedge_id = ranked.hyperedge_id
