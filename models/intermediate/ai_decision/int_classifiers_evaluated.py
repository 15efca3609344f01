"""How often each judge of documents is right, by groups, with intervals."""

from functools import partial

from python_steps import tables
from python_steps.ai_decision.evaluation import measures
from python_steps.engine import shards


def model(dbt, session):
    return shards.map_shards(
        dbt.ref("int_documents_judged"),
        partial(measures.evaluate, draws=dbt.config.meta_get("draws")),
        key="judge",
        schema=tables.EVALUATION,
        description="evaluate classifiers",
    )
