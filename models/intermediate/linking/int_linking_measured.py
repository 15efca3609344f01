"""How often the patent of a known pair comes first or among ten, by kind and way of comparing."""

from python_steps import engine, linking, tables


def model(dbt, session):
    columns = tables.LINKS_RANKED.names
    order = ["paper_id", "patent_id", "method", "reranked_candidates"]
    ranked = engine.collect(dbt.ref("int_links_ranked"), columns=columns, order=order)
    measured = linking.measure(ranked, **dbt.config.meta_get("measure"))
    return engine.as_relation(session, measured)
