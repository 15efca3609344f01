"""The probability of each layer for every document that it judges."""

from functools import partial

from python_steps import tables
from python_steps.ai_decision import catalogue, decision
from python_steps.engine import shards


def model(dbt, session):
    classifiers = catalogue.load_classifiers(**dbt.config.meta_get("classifiers"))
    return shards.map_shards(
        dbt.ref("int_documents_to_classify"),
        partial(decision.classify, classifiers=classifiers),
        key="shard",
        schema=tables.CLASSIFIED,
        description="classify documents",
        version=catalogue.versions(classifiers),
        **dbt.config.meta_get("engine"),
    )
