"""How surprising every hyperedge was to what the years before it had taught."""

from functools import partial
from pathlib import Path

from python_steps import engine, novelty, tables


def model(dbt, session):
    settings = novelty.Settings(**dbt.config.meta_get("settings"))
    states = dbt.config.meta_get("states")
    return engine.map_shards(
        dbt.ref("int_hyperedges"),
        partial(novelty.score, settings=settings, states=Path(states) if states else None),
        key="corpus",
        order="hyperedge_id",
        schema=tables.NOVELTY,
        description="score novelty",
        version=novelty.version(settings),
        **dbt.config.meta_get("engine"),
    )
