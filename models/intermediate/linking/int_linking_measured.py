"""How often the patent of a known pair comes first or among ten, by kind and way of comparing."""

from python_steps import tables
from python_steps.engine import relations
from python_steps.linking import measures


def model(dbt, session):
    columns = tables.LINKS_RANKED.names
    order = ["paper_id", "patent_id", "method", "reranked_candidates"]
    ranked = relations.collect(dbt.ref("int_links_ranked"), columns=columns, order=order)
    measured = measures.measure(ranked, **dbt.config.meta_get("measure"))
    return relations.as_relation(session, measured)
