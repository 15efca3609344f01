"""Intervals, plots and floors."""
