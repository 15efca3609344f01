"""Run steps on DuckDB or on Spark."""
