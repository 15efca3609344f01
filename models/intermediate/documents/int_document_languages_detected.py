"""The language of documents that no source tells it of, from title and abstract."""

from python_steps import tables
from python_steps.documents import languages
from python_steps.engine import relations, shards


def model(dbt, session):
    documents = relations.select(
        dbt.ref("int_documents_unioned"), ["document_id", "shard", "title", "abstract"]
    )
    delivered = dbt.ref("int_document_languages_delivered")
    return shards.map_shards(
        relations.without(documents, delivered, on=["document_id"]),
        languages.detect,
        key="shard",
        schema=tables.LANGUAGES,
        description="detect languages",
        version=languages.VERSION,
        **dbt.config.meta_get("engine"),
    )
