"""How similarities become confidences, in each space, and how far known pairs bear them out."""

from python_steps import confidence, engine, tables


def model(dbt, session):
    counted = engine.table(dbt.ref("int_similarities_counted"), tables.SIMILARITIES)
    known = engine.table(dbt.ref("int_links_matched"), tables.LINKS_MATCHED)
    calibrations = confidence.calibrate(
        counted,
        known,
        engine.table(dbt.ref("similarity_calibrations"), tables.PACKAGED_CALIBRATIONS),
        engine.table(dbt.ref("int_encoders_loaded"), tables.ENCODERS),
        spaces=dbt.config.meta_get("spaces").split(),
        **dbt.config.meta_get("calibration"),
    )
    checked = confidence.check(counted, known, calibrations, **dbt.config.meta_get("check"))
    return engine.as_relation(session, checked)
