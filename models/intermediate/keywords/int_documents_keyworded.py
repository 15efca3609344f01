"""Keywords of every document in scope: delivered, else extracted, else the title."""

from functools import partial

from python_steps import engine, keywords, tables


def model(dbt, session):
    stop_phrases = dbt.ref("stop_phrases").project("stop_phrase").to_arrow_table()
    phrases = dbt.ref("int_candidate_phrase_vectors").order("phrase").to_arrow_reader()
    settings = {
        "phrases": keywords.PhraseVectors.from_batches(phrases),
        "count": dbt.config.meta_get("count"),
        "diversity": dbt.config.meta_get("diversity"),
        "stop_phrases": stop_phrases.column("stop_phrase").to_pylist(),
    }
    return engine.map_shards(
        dbt.ref("int_documents_with_candidates"),
        partial(keywords.extract, keep=tables.DOCUMENT_SHARD.names, **settings),
        key="shard",
        schema=tables.keywords(tables.DOCUMENT_SHARD),
        description="choose keywords",
        version=keywords.version(**settings),
        checkpoints=dbt.config.meta_get("checkpoints"),
    )
