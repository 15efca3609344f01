"""Decide which documents are about AI: classifiers, their training, evaluation and annotation."""
