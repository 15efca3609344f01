"""Measure novelty scores."""
