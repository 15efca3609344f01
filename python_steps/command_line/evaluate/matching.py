"""`deepinnovation evaluate matching`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from python_steps.command_line.console import conclude, output_console, pour
from python_steps.command_line.options import (
    FloorOption,
    chosen_warehouse,
    debug_option,
    format_option,
    warehouse_option,
)
from python_steps.warehouse.matching_audit import MEASURES, whole_corpus
from python_steps.warehouse.places import tables_at

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console


def show(audit: pa.Table, console: Console) -> None:
    """Print a table for each space: all years, then each."""
    from rich.table import Table

    if not whole_corpus(audit):
        console.print("No paper has a patent that it could be matched to.")
    for whole in whole_corpus(audit):
        space = whole["space"]
        table = Table(title=f"matched by {space}", title_justify="left")
        for heading in ("papers of", "papers", "audited", "recall at 1"):
            table.add_column(heading, justify="right")
        table.add_column(f"recall at {whole['k']}", justify="right")
        table.add_column("similarity lost, mean", justify="right")
        table.add_column("largest", justify="right")
        for row in audit.to_pylist():
            if row["space"] == space:
                table.add_row(
                    str(row["paper_year"] or "all years"),
                    f"{row['papers_represented']:,}",
                    f"{row['audited_papers']:,}",
                    *(_with_interval(row, name) for name in MEASURES),
                    f"{row['mean_similarity_regret']:.5f}",
                    f"{row['largest_similarity_regret']:.5f}",
                )
        console.print(table, highlight=False, markup=False)


def _with_interval(row: dict[str, Any], name: str) -> str:
    return f"{row[name]:.4f} ({row[f'{name}_low']:.4f} to {row[f'{name}_high']:.4f})"


def _floors_of_matching() -> dict[str, float]:
    from python_steps.warehouse.matching_audit import MEASURES

    return dict.fromkeys(MEASURES, 0.0)


@click.command("matching")
@warehouse_option
@format_option
@click.option(
    "--floor",
    "floors",
    type=FloorOption(_floors_of_matching),
    multiple=True,
    help="Exit with code 4 if matching as a whole scores below this, e.g. recall_at_1=0.995.",
)
@debug_option
@click.pass_context
def matching_command(
    context: click.Context,
    warehouse: str | None,
    form: str,
    floors: tuple[tuple[str, float], ...],
) -> None:
    """Measure how well the matches agree with an exhaustive comparison.

    Every build compares a sample of papers of every year with all patents. This
    command shows the result, in total and by year: the share of papers whose
    nearest patent was found (recall at 1), the share of their k nearest patents
    that were found, and the similarity lost. Intervals are 95 %.

    Exit codes: 2 an option is wrong, 3 the warehouse cannot be read, 4 below a
    floor.

    \b
    For example:
      deepinnovation evaluate matching
      deepinnovation evaluate matching --floor recall_at_1=0.995 --format csv
    """
    from python_steps.warehouse import matching_audit

    audit = matching_audit.read(tables_at(chosen_warehouse(warehouse), os.environ))
    if form == "table":
        show(audit, output_console())
    else:
        pour(audit, form)
    conclude(context, matching_audit.below(audit, floors))
