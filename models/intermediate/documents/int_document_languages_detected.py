"""The language of documents that no source tells it of, from title and abstract."""

from python_steps import engine, languages, tables


def model(dbt, session):
    return engine.map_shards(
        dbt.ref("int_documents_without_language"),
        languages.detect,
        key="shard",
        schema=tables.LANGUAGES,
        description="detect languages",
        version=languages.VERSION,
        **dbt.config.meta_get("engine"),
    )
