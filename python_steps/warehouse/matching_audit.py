"""Read the audit of matching from a warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from python_steps.statistics.report import Floor, Measure, missed
from python_steps.warehouse.opening import opened

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
    with opened(warehouse, [AUDIT]) as connection:
        return connection.sql(
            f"from {'.'.join(AUDIT)} order by space, paper_year nulls first"
        ).to_arrow_table()


def below(audit: pa.Table, floors: Sequence[tuple[str, float]]) -> list[str]:
    """Return a sentence for each floor, measure and value, that matching as a whole misses."""
    whole = whole_corpus(audit)
    if floors and not whole:
        return ["No paper has a patent that it could be matched to, so no floor is reached."]
    measured = (
        (
            Measure(f"{name} by {row['space']}", row[name], f"{row['audited_papers']:,} papers"),
            Floor(value),
        )
        for row in whole
        for name, value in floors
    )
    return missed(measured, digits=4)


def whole_corpus(audit: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of the audit that cover all years."""
    return [row for row in audit.to_pylist() if row["paper_year"] is None]
