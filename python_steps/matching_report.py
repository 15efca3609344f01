"""What `deepinnovation evaluate matching` reads from a warehouse and tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from python_steps.sources import InputError

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

    from python_steps.warehouse import Tables

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

    from python_steps.failures import explain_warehouse

    try:
        there = warehouse.relations()
        if there is not None and AUDIT not in there:
            raise InputError(
                f"The warehouse {warehouse.path} has no {'.'.join(AUDIT)}: build it, by "
                "`deepinnovation build`."
            )
        with warehouse.connect() as connection:
            return connection.sql(
                f"from {'.'.join(AUDIT)} order by embedding_text, paper_year nulls first"
            ).to_arrow_table()
    except duckdb.Error as error:
        raise InputError(explain_warehouse(str(error), warehouse.path)) from error


def below(audit: pa.Table, floors: Sequence[tuple[str, float]]) -> list[str]:
    """Tell, in a sentence each, where matching as a whole misses floors, measure and value."""
    whole = _whole(audit)
    if floors and not whole:
        return ["No paper has a patent to be matched to, so no floor is reached."]
    return [
        f"{name} by {row['embedding_text']} is {row[name]:.4f} on {row['audited_papers']:,} "
        f"papers, and must be at least {value:g}."
        for row in whole
        for name, value in floors
        if row[name] < value
    ]


def show(audit: pa.Table, console: Console) -> None:
    """Print a table for each space: all years, then each."""
    from rich.table import Table

    if not _whole(audit):
        console.print("No paper has a patent to be matched to.")
    for whole in _whole(audit):
        space = whole["embedding_text"]
        table = Table(title=f"matched by {space}", title_justify="left")
        for heading in ("papers of", "papers", "audited", "recall at 1"):
            table.add_column(heading, justify="right")
        table.add_column(f"recall at {whole['k']}", justify="right")
        table.add_column("similarity lost, mean", justify="right")
        table.add_column("largest", justify="right")
        for row in audit.to_pylist():
            if row["embedding_text"] == space:
                table.add_row(
                    str(row["paper_year"] or "all years"),
                    f"{row['papers_represented']:,}",
                    f"{row['audited_papers']:,}",
                    *(_with_interval(row, name) for name in MEASURES),
                    f"{row['mean_similarity_regret']:.5f}",
                    f"{row['largest_similarity_regret']:.5f}",
                )
        console.print(table, highlight=False, markup=False)


def _whole(audit: pa.Table) -> list[dict[str, Any]]:
    return [row for row in audit.to_pylist() if row["paper_year"] is None]


def _with_interval(row: dict[str, Any], name: str) -> str:
    return f"{row[name]:.4f} ({row[f'{name}_low']:.4f} to {row[f'{name}_high']:.4f})"
