"""The vector of every document's keywords, joined by blanks: the space of the published file."""

from functools import partial

from python_steps import embedding, engine, tables


def model(dbt, session):
    encoder = embedding.load_encoder(**dbt.config.meta_get("encoder"))
    texts = dbt.ref("int_keyword_texts")
    if dbt.is_incremental:
        done = f"select document_id, text_hash, model_version from {dbt.this}"
        texts = texts.filter(f"(document_id, text_hash, '{encoder.model_version}') not in ({done})")
    return engine.map_shards(
        texts,
        partial(embedding.embed, encoder=encoder, keep=tables.DOCUMENT_TEXT.names),
        key="shard",
        schema=tables.embeddings(encoder.width, keep=tables.DOCUMENT_TEXT),
        description="embed keywords",
        version=encoder.model_version,
        checkpoints=dbt.config.meta_get("checkpoints"),
    )
