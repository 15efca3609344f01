"""How surprising every hyperedge was to what the years before it had taught."""

from functools import partial
from pathlib import Path

from python_steps import tables
from python_steps.engine import shards
from python_steps.novelty import scoring
from python_steps.novelty.settings import Settings, version


def model(dbt, session):
    settings = Settings(**dbt.config.meta_get("settings"))
    states = dbt.config.meta_get("states")
    return shards.map_shards(
        dbt.ref("int_hyperedges"),
        partial(scoring.score, settings=settings, states=Path(states) if states else None),
        key="corpus",
        order="hyperedge_id",
        schema=tables.NOVELTY,
        description="score novelty",
        version=version(settings),
        **dbt.config.meta_get("engine"),
    )
