"""The vector of every document's keywords, joined by blanks: the space of the published file."""

from functools import partial

from python_steps import tables
from python_steps.embeddings.encoder import embed, load_encoder
from python_steps.engine import relations, shards


def model(dbt, session):
    encoder = load_encoder(**dbt.config.meta_get("encoder"))
    texts = dbt.ref("int_keyword_texts")
    if dbt.is_incremental:
        done = session.table(str(dbt.this)).filter(f"model_version = '{encoder.model_version}'")
        texts = relations.without(texts, done, on=tables.DOCUMENT_TEXT.names)
    return shards.map_shards(
        texts,
        partial(embed, encoder=encoder, keep=tables.DOCUMENT_TEXT.names),
        key="shard",
        schema=tables.embeddings(encoder.width, keep=tables.DOCUMENT_TEXT),
        description="embed keywords",
        version=encoder.model_version,
        **dbt.config.meta_get("engine"),
    )
