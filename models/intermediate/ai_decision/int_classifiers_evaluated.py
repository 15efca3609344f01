"""How often each judge of documents is right, by groups, with intervals."""

from functools import partial

from python_steps import engine, evaluation, tables


def model(dbt, session):
    return engine.map_shards(
        dbt.ref("int_documents_judged"),
        partial(evaluation.evaluate, draws=dbt.config.meta_get("draws")),
        key="judge",
        schema=tables.EVALUATION,
        description="evaluate classifiers",
    )
