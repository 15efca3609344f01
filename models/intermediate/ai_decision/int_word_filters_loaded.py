"""The word filters that the variables ask for."""

from python_steps.ai_decision import word_filter
from python_steps.engine import relations


def model(dbt, session):
    filters = word_filter.load_word_filters(**dbt.config.meta_get("filters"))
    return relations.as_relation(session, word_filter.describe(filters))
