"""The probability of each layer for every document that it judges."""

from functools import partial

from python_steps import tables
from python_steps.ai_decision import classifier, decision
from python_steps.engine import shards


def model(dbt, session):
    classifiers = classifier.load_classifiers(**dbt.config.meta_get("classifiers"))
    return shards.map_shards(
        dbt.ref("int_documents_to_classify"),
        partial(decision.classify, classifiers=classifiers),
        key="shard",
        schema=tables.CLASSIFIED,
        description="classify documents",
        version=classifier.versions(classifiers),
        **dbt.config.meta_get("engine"),
    )
