"""The probability of the inner layer for every document that it reads."""

from functools import partial

from python_steps import classification, engine, tables


def model(dbt, session):
    classifiers = classification.load_classifiers(**dbt.config.meta_get("classifiers"))
    documents = dbt.ref("int_documents_read_by_inner")
    if dbt.is_incremental:
        done = session.table(str(dbt.this))
        documents = engine.left_to_do(documents, done, on=tables.JUDGED_TEXT)
    return engine.map_shards(
        documents,
        partial(classification.classify, classifiers=classifiers, layer="inner"),
        key="shard",
        schema=tables.CLASSIFIED,
        description="classify documents, inner layer",
        version=classification.versions(classifiers, "inner"),
        **dbt.config.meta_get("engine"),
    )
