"""Chinese and Japanese titles and abstracts with blanks between their words."""

from python_steps import tables
from python_steps.engine import shards
from python_steps.keywords import segmentation


def model(dbt, session):
    return shards.map_shards(
        dbt.ref("int_texts_unsegmented"),
        segmentation.segment,
        key="shard",
        schema=tables.SEGMENTED,
        description="part words",
        version=segmentation.versions(**dbt.config.meta_get("segmentation")),
        **dbt.config.meta_get("engine"),
    )
