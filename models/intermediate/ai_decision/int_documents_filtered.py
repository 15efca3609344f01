"""The score of the word filter for every document that it judges."""

from functools import partial

from python_steps import tables
from python_steps.ai_decision import word_filter
from python_steps.engine import shards


def model(dbt, session):
    filters = word_filter.load_word_filters(**dbt.config.meta_get("filters"))
    return shards.map_shards(
        dbt.ref("int_documents_to_filter"),
        partial(word_filter.judge, filters=filters),
        key="shard",
        schema=tables.FILTERED,
        description="filter documents by words",
        version=word_filter.versions(filters),
        **dbt.config.meta_get("engine"),
    )
