"""How similarities become confidences, in each space."""

from python_steps import confidence, engine, tables


def model(dbt, session):
    calibrated = confidence.calibrate(
        engine.table(dbt.ref("int_similarities_counted"), tables.SIMILARITIES),
        engine.table(dbt.ref("int_links_matched"), tables.LINKS_MATCHED),
        engine.table(dbt.ref("similarity_calibrations"), tables.PACKAGED_CALIBRATIONS),
        engine.table(dbt.ref("int_encoders_loaded"), tables.ENCODERS),
        spaces=dbt.config.meta_get("spaces").split(),
        **dbt.config.meta_get("settings"),
    )
    return engine.as_relation(session, calibrated)
