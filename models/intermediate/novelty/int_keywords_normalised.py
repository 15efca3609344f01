"""The form that keywords of the same meaning share, of every distinct keyword and long form."""

from functools import partial

from python_steps import engine, tables, vocabulary


def model(dbt, session):
    columns = ["variant", "standard", "variant_kind"]
    rows = engine.collect(dbt.ref("spelling_variants"), columns=columns, order=["variant"])
    variants = vocabulary.Variants.from_table(rows)
    return engine.map_shards(
        dbt.ref("int_keywords_distinct"),
        partial(vocabulary.normalise, variants=variants),
        key="shard",
        order="keyword",
        schema=tables.NORMALISED_KEYWORDS,
        description="normalise keywords",
        version=vocabulary.version(variants),
        **dbt.config.meta_get("engine"),
    )
