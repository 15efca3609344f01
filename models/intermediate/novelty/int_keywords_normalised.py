"""The form that keywords of the same meaning share, of every distinct keyword and long form."""

from functools import partial

from python_steps import tables
from python_steps.engine import relations, shards
from python_steps.keywords import normalisation


def model(dbt, session):
    columns = ["variant", "standard", "variant_kind"]
    rows = relations.collect(dbt.ref("spelling_variants"), columns=columns, order=["variant"])
    variants = normalisation.Variants.from_table(rows)
    return shards.map_shards(
        dbt.ref("int_keywords_distinct"),
        partial(normalisation.normalise, variants=variants),
        key="shard",
        order="keyword",
        schema=tables.NORMALISED_KEYWORDS,
        description="normalise keywords",
        version=normalisation.version(variants),
        **dbt.config.meta_get("engine"),
    )
