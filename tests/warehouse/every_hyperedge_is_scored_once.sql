-- No document gets lost on its way through the block model, and none is scored with its own year or a later one.
select coalesce(hyperedges.hyperedge_id, scored.hyperedge_id) as hyperedge_id
from {{ ref('int_hyperedges') }} as hyperedges
full outer join {{ ref('int_documents_novelty_scored') }} as scored
    on hyperedges.hyperedge_id = scored.hyperedge_id
where
    hyperedges.hyperedge_id is null
    or scored.hyperedge_id is null
    or scored.year <> hyperedges.year
    or scored.state_year >= scored.year
    or scored.known_nodes > scored.node_count
    or (scored.novelty is null) <> (scored.reason is not null)
