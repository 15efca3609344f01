"""How far confidences are to be believed, by the known pairs."""

from python_steps import confidence, engine


def model(dbt, session):
    checked = confidence.check_matches(
        dbt.ref("int_similarities_counted"),
        dbt.ref("int_links_matched"),
        dbt.ref("int_similarities_calibrated"),
        draws=dbt.config.meta_get("draws"),
    )
    return engine.as_relation(session, checked)
