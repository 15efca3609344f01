"""Run the dbt project: builds, their journal, failures and messages."""
