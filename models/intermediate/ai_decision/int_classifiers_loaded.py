"""The classifiers that the variables name: whose probabilities count."""

from python_steps import classification, engine


def model(dbt, session):
    classifiers = classification.load_classifiers(**dbt.config.meta_get("classifiers"))
    return engine.as_relation(session, classification.describe(classifiers))
