"""The encoder that the variables name: whose vectors count."""

from python_steps.embeddings.encoder import describe, load_encoder
from python_steps.engine import relations


def model(dbt, session):
    encoder = load_encoder(**dbt.config.meta_get("encoder"))
    return relations.as_relation(session, describe(encoder))
