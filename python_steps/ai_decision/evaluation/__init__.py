"""Measure classifiers."""
