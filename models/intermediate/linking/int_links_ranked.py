"""Where the patent of each known pair stands, by every way of comparing."""

from python_steps.engine import relations
from python_steps.linking import ranking


def model(dbt, session):
    stops = relations.collect(dbt.ref("stop_words"), columns=["stop_word"], order=["stop_word"])
    ranked = ranking.rank(
        dbt.ref("int_links_judged"),
        dbt.ref("int_documents_searched"),
        dbt.ref("int_pairs_ranked"),
        stop_words=stops.column("stop_word").to_pylist(),
        spaces=dbt.config.meta_get("spaces").split(),
        published_space=dbt.config.meta_get("published_space"),
        **dbt.config.meta_get("lags"),
    )
    return relations.as_relation(session, ranked)
