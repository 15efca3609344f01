"""How similarities become confidences, in each space."""

from python_steps import confidence, engine


def model(dbt, session):
    calibrated = confidence.calibrate_matches(
        dbt.ref("int_similarities_counted"),
        dbt.ref("int_links_matched"),
        dbt.ref("similarity_calibrations"),
        dbt.ref("int_encoders_loaded"),
        spaces=dbt.config.meta_get("spaces").split(),
        **dbt.config.meta_get("settings"),
    )
    return engine.as_relation(session, calibrated)
