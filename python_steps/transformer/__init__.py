"""Run transformers reproducibly."""
