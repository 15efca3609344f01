"""Intervals and plots."""
