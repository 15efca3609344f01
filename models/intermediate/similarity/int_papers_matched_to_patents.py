"""The most similar patents of every paper among those of its year or later, in each space."""

from functools import partial

from python_steps import engine, similarity, tables


def model(dbt, session):
    match_in_space = partial(
        similarity.match_in_space,
        dbt.ref("int_vectors_compared").filter("document_type = 'paper'"),
        dbt.ref("int_patents_compared"),
        **dbt.config.meta_get("engine"),
        **dbt.config.meta_get("matcher"),
    )
    found = [match_in_space(space=space) for space in dbt.config.meta_get("spaces").split()]
    return engine.union(found, tables.MATCHES.append(tables.EMBEDDING_TEXT))
