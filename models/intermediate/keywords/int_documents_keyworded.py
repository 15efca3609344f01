"""Keywords of every document in scope: delivered, else extracted, else the title."""

from functools import partial

from python_steps import engine, keywords, tables


def model(dbt, session):
    folder = engine.working_folder(dbt.config.meta_get("engine")["checkpoints"])
    stops = engine.collect(dbt.ref("stop_phrases"), columns=["stop_phrase"], order=["stop_phrase"])
    phrases = engine.stream(dbt.ref("int_candidate_phrase_vectors"), key="shard", order="phrase")
    settings = {
        "phrases": keywords.PhraseVectors.from_batches(phrases, folder=folder),
        "stop_phrases": stops.column("stop_phrase").to_pylist(),
        **dbt.config.meta_get("keywords"),
    }
    return engine.map_shards(
        dbt.ref("int_documents_with_candidates"),
        partial(keywords.extract, keep=tables.DOCUMENT_SHARD.names, **settings),
        key="shard",
        schema=tables.keywords(tables.DOCUMENT_SHARD),
        description="choose keywords",
        version=keywords.version(**settings),
        **dbt.config.meta_get("engine"),
    )
