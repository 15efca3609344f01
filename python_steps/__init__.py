"""Numeric steps of the pipeline: pure functions, Arrow tables in and Arrow tables out."""
