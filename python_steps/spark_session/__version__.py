"""The adapter's version, where dbt asks for it: that of dbt-spark."""

from dbt.adapters.spark.__version__ import version  # noqa: F401
