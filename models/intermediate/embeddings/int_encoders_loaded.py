"""The encoder that the variables name: whose vectors count."""

from python_steps import embedding, engine


def model(dbt, session):
    encoder = embedding.load_encoder(**dbt.config.meta_get("encoder"))
    return engine.as_relation(session, embedding.describe(encoder))
