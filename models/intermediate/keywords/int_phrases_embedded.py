"""The vector of every phrase that may become a keyword."""

from functools import partial

from python_steps import tables
from python_steps.embeddings.encoder import embed, load_encoder
from python_steps.engine import relations, shards


def model(dbt, session):
    encoder = load_encoder(**dbt.config.meta_get("encoder"))
    phrases = dbt.ref("int_candidate_phrases")
    if dbt.is_incremental:
        done = session.table(str(dbt.this)).filter(f"model_version = '{encoder.model_version}'")
        phrases = relations.without(phrases, done, on=["phrase"])
    return shards.map_shards(
        phrases,
        partial(embed, encoder=encoder, text="phrase", keep=["phrase"]),
        key="shard",
        order="phrase",
        schema=tables.embeddings(encoder.width, keep=tables.PHRASE),
        description="embed phrases",
        version=encoder.model_version,
        **dbt.config.meta_get("engine"),
    )
