"""What simpler classifiers, trained on the same labels, say of the documents of the test split."""

from functools import partial

from python_steps import baselines, embedding, engine, tables


def model(dbt, session):
    encoder = embedding.load_encoder(**dbt.config.meta_get("encoder"))
    return engine.map_shards(
        dbt.ref("int_documents_read_by_baselines"),
        partial(baselines.judge, encoder=encoder),
        key="document_type",
        schema=tables.BASELINE_JUDGEMENTS,
        description="judge by baselines",
        version=f"{encoder.model_version} {baselines.VERSION}",
        **dbt.config.meta_get("engine"),
    )
