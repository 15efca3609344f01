"""The probability of each layer for every document that it judges."""

from functools import partial

from python_steps import classification, engine, tables


def model(dbt, session):
    classifiers = classification.load_classifiers(**dbt.config.meta_get("classifiers"))
    return engine.map_shards(
        dbt.ref("int_documents_to_classify"),
        partial(classification.classify, classifiers=classifiers),
        key="shard",
        schema=tables.CLASSIFIED,
        description="classify documents",
        version=classification.versions(classifiers),
        **dbt.config.meta_get("engine"),
    )
