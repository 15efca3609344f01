"""The classifiers that the variables name: whose probabilities count."""

from python_steps.ai_decision import catalogue
from python_steps.engine import relations


def model(dbt, session):
    classifiers = catalogue.load_classifiers(**dbt.config.meta_get("classifiers"))
    return relations.as_relation(session, catalogue.describe(classifiers))
