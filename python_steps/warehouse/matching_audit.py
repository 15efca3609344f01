"""Read the audit of matching from a warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from python_steps.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from python_steps.warehouse.places import Tables


MEASURES = ("recall_at_1", "recall_at_k")
AUDIT = ("marts", "matching_audit")


def read(warehouse: Tables) -> pa.Table:
    """
    Return the audit of the last build: rows of the mart `matching_audit`, all years first.

    Raises
    ------
    InputError
        When the warehouse cannot be read, or has no audit.
    """
    import duckdb

    from python_steps.warehouse.opening import explain_warehouse

    try:
        there = warehouse.relations()
        if there is not None and AUDIT not in there:
            raise InputError(
                f"The warehouse {warehouse.path} has no {'.'.join(AUDIT)}: build it, by "
                "`deepinnovation build`."
            )
        with warehouse.connect() as connection:
            return connection.sql(
                f"from {'.'.join(AUDIT)} order by space, paper_year nulls first"
            ).to_arrow_table()
    except duckdb.Error as error:
        raise InputError(explain_warehouse(str(error), warehouse.path)) from error


def below(audit: pa.Table, floors: Sequence[tuple[str, float]]) -> list[str]:
    """Tell, in a sentence each, where matching as a whole misses floors, measure and value."""
    whole = whole_corpus(audit)
    if floors and not whole:
        return ["No paper has a patent to be matched to, so no floor is reached."]
    return [
        f"{name} by {row['space']} is {row[name]:.4f} on {row['audited_papers']:,} "
        f"papers, and must be at least {value:g}."
        for row in whole
        for name, value in floors
        if row[name] < value
    ]


def whole_corpus(audit: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of the audit that cover all years."""
    return [row for row in audit.to_pylist() if row["paper_year"] is None]
