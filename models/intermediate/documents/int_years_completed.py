"""Of each year of a source, the share of its documents that can be visible by now."""

from python_steps import tables
from python_steps.documents import completeness
from python_steps.engine import relations


def model(dbt, session):
    lags = relations.table(dbt.ref("int_publication_lags"), tables.PUBLICATION_LAGS)
    until = relations.table(dbt.ref("int_data_until"), tables.DATA_UNTIL)
    known = relations.table(dbt.ref("known_lags"), tables.KNOWN_LAGS)
    return relations.as_relation(session, completeness.complete_years(lags, until, known))
