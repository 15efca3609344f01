"""The classifiers that the variables name: whose probabilities count."""

from python_steps.ai_decision import classifier
from python_steps.engine import relations


def model(dbt, session):
    classifiers = classifier.load_classifiers(**dbt.config.meta_get("classifiers"))
    return relations.as_relation(session, classifier.describe(classifiers))
