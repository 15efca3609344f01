"""The language of documents that no source tells it of, from title and abstract."""

from python_steps import tables
from python_steps.documents import languages
from python_steps.engine import shards


def model(dbt, session):
    return shards.map_shards(
        dbt.ref("int_documents_without_language"),
        languages.detect,
        key="shard",
        schema=tables.LANGUAGES,
        description="detect languages",
        version=languages.VERSION,
        **dbt.config.meta_get("engine"),
    )
