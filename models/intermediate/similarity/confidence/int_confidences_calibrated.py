"""How similarities become confidences, in each space, and how far known pairs bear them out."""

from python_steps import tables
from python_steps.engine import relations
from python_steps.similarity import confidence, confidence_check


def model(dbt, session):
    counted = relations.table(dbt.ref("int_similarities_counted"), tables.SIMILARITIES)
    known = relations.table(dbt.ref("int_links_matched"), tables.LINKS_MATCHED)
    calibrations = confidence.calibrate(
        counted,
        known,
        relations.table(dbt.ref("similarity_calibrations"), tables.PACKAGED_CALIBRATIONS),
        relations.table(dbt.ref("int_encoders_loaded"), tables.ENCODERS),
        spaces=dbt.config.meta_get("spaces").split(),
        **dbt.config.meta_get("calibration"),
    )
    checked = confidence_check.check(counted, known, calibrations, **dbt.config.meta_get("check"))
    return relations.as_relation(session, checked)
