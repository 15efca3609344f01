"""The probability of the outer layer for every document that it reads."""

from functools import partial

from python_steps import classification, engine, tables


def model(dbt, session):
    classifiers = classification.load_classifiers(**dbt.config.meta_get("classifiers"))
    documents = dbt.ref("int_documents_read_by_outer")
    if dbt.is_incremental:
        done = session.table(str(dbt.this))
        documents = engine.left_to_do(documents, done, on=tables.JUDGED_TEXT)
    return engine.map_shards(
        documents,
        partial(classification.classify, classifiers=classifiers, layer="outer"),
        key="shard",
        schema=tables.CLASSIFIED,
        description="classify documents, outer layer",
        version=classification.versions(classifiers, "outer"),
        **dbt.config.meta_get("engine"),
    )
