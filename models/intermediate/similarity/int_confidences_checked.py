"""How far confidences are to be believed, by the known pairs."""

from python_steps import tables
from python_steps.engine import relations
from python_steps.similarity import confidence_check


def model(dbt, session):
    checked = confidence_check.check(
        relations.table(dbt.ref("int_similarities_counted"), tables.SIMILARITIES),
        relations.table(dbt.ref("int_links_matched"), tables.LINKS_MATCHED),
        relations.table(dbt.ref("int_similarities_calibrated"), tables.CALIBRATIONS),
        **dbt.config.meta_get("settings"),
    )
    return relations.as_relation(session, checked)
