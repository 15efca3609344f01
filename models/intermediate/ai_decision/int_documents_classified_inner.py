"""The probability of the inner layer for every document that it reads."""

from functools import partial

from python_steps import tables
from python_steps.ai_decision import classifier
from python_steps.engine import relations, shards


def model(dbt, session):
    classifiers = classifier.load_classifiers(**dbt.config.meta_get("classifiers"))
    documents = dbt.ref("int_documents_read_by_inner")
    if dbt.is_incremental:
        done = session.table(str(dbt.this))
        documents = relations.left_to_do(documents, done, on=tables.JUDGED_TEXT)
    return shards.map_shards(
        documents,
        partial(classifier.classify, classifiers=classifiers, layer="inner"),
        key="shard",
        schema=tables.CLASSIFIED,
        description="classify documents, inner layer",
        version=classifier.versions(classifiers, "inner"),
        **dbt.config.meta_get("engine"),
    )
