"""What simpler classifiers, trained on the same labels, say of the documents of the test split."""

from functools import partial

from python_steps import tables
from python_steps.ai_decision.evaluation import baselines
from python_steps.embeddings.encoder import load_encoder
from python_steps.engine import shards


def model(dbt, session):
    encoder = load_encoder(**dbt.config.meta_get("encoder"))
    return shards.map_shards(
        dbt.ref("int_documents_read_by_baselines"),
        partial(baselines.judge, encoder=encoder),
        key="document_type",
        schema=tables.BASELINE_JUDGEMENTS,
        description="judge by baselines",
        version=f"{encoder.model_version} {baselines.VERSION}",
        **dbt.config.meta_get("engine"),
    )
