"""How similarities become confidences, in each space."""

from python_steps import tables
from python_steps.engine import relations
from python_steps.similarity import confidence


def model(dbt, session):
    calibrated = confidence.calibrate(
        relations.table(dbt.ref("int_similarities_counted"), tables.SIMILARITIES),
        relations.table(dbt.ref("int_links_matched"), tables.LINKS_MATCHED),
        relations.table(dbt.ref("similarity_calibrations"), tables.PACKAGED_CALIBRATIONS),
        relations.table(dbt.ref("int_encoders_loaded"), tables.ENCODERS),
        spaces=dbt.config.meta_get("spaces").split(),
        **dbt.config.meta_get("settings"),
    )
    return relations.as_relation(session, calibrated)
