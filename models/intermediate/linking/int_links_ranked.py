"""Where the patent of each known pair stands, by every way of comparing."""

from python_steps import engine, linking


def model(dbt, session):
    stops = engine.collect(dbt.ref("stop_words"), columns=["stop_word"], order=["stop_word"])
    ranked = linking.rank(
        dbt.ref("int_links_judged"),
        dbt.ref("int_documents_searched"),
        dbt.ref("int_pairs_ranked"),
        stop_words=stops.column("stop_word").to_pylist(),
        spaces=dbt.config.meta_get("spaces").split(),
        published_space=dbt.config.meta_get("published_space"),
        **dbt.config.meta_get("lags"),
    )
    return engine.as_relation(session, ranked)
