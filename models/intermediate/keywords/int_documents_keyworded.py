"""Keywords of every document in scope: delivered, else extracted, else the title."""

from functools import partial

from python_steps import tables
from python_steps.engine import checkpoints, relations, shards
from python_steps.keywords import extraction


def model(dbt, session):
    folder = checkpoints.working_folder(dbt.config.meta_get("engine")["checkpoints"])
    stops = relations.collect(
        dbt.ref("stop_phrases"), columns=["stop_phrase"], order=["stop_phrase"]
    )
    phrases = relations.stream(dbt.ref("int_candidate_phrase_vectors"), key="shard", order="phrase")
    settings = {
        "phrases": extraction.PhraseVectors.from_batches(phrases, folder=folder),
        "stop_phrases": stops.column("stop_phrase").to_pylist(),
        **dbt.config.meta_get("keywords"),
    }
    return shards.map_shards(
        dbt.ref("int_documents_with_candidates"),
        partial(extraction.extract, keep=tables.DOCUMENT_SHARD.names, **settings),
        key="shard",
        schema=extraction.schema(tables.DOCUMENT_SHARD),
        description="choose keywords",
        version=extraction.version(**settings),
        **dbt.config.meta_get("engine"),
    )
