"""How far confidences are to be believed, by the known pairs."""

from python_steps import confidence, engine, tables


def model(dbt, session):
    checked = confidence.check(
        engine.table(dbt.ref("int_similarities_counted"), tables.SIMILARITIES),
        engine.table(dbt.ref("int_links_matched"), tables.LINKS_MATCHED),
        engine.table(dbt.ref("int_similarities_calibrated"), tables.CALIBRATIONS),
        **dbt.config.meta_get("settings"),
    )
    return engine.as_relation(session, checked)
