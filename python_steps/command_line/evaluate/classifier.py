"""`deepinnovation evaluate classifier`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from python_steps.command_line.console import conclude, error_console, output_console, pour
from python_steps.command_line.options import (
    FloorOption,
    chosen_warehouse,
    debug_option,
    format_option,
    require,
    warehouse_option,
)
from python_steps.warehouse.places import Tables, tables_at

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

HEADINGS = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "average_precision": "average\nprecision",
    "calibration_error": "calibration\nerror",
}


def show(measured: pa.Table, dimensions: Sequence[str], console: Console) -> None:
    """Print a table per document type and dimension, with 95 % intervals below the values."""
    from rich.table import Table

    from python_steps.ai_decision.evaluation.report import in_order

    if not measured.num_rows:
        console.print(
            "No labelled document of the split `test`: add labels with "
            "`deepinnovation build --labels FILE`.",
            soft_wrap=True,
        )
    for kind in sorted(set(measured.column("document_type").to_pylist())):
        for dimension in dimensions:
            rows = in_order(measured, kind, dimension)
            if not rows:
                continue
            by = "" if dimension == "all" else f" by {dimension}"
            # On a narrow screen names are folded, intervals never.
            table = Table(
                title=f"{kind}s{by}", title_justify="left", show_lines=True, padding=(0, 0, 0, 1)
            )
            for name in ["judge", dimension] if by else ["judge"]:
                table.add_column(name, overflow="fold")
            for name in ("documents", "accepted", *HEADINGS.values()):
                table.add_column(name, justify="right", no_wrap=True)
            for row in rows:
                documents = f"{row['documents']:,}\n{row['positives']:,} AI"
                values = (_with_interval(row, name) for name in HEADINGS)
                named = [row["judge"], row["value"]] if by else [row["judge"]]
                named[0] = named[0].replace("_", " ")
                table.add_row(*named, documents, f"{row['accepted']:,}", *values)
            console.print(table, highlight=False, markup=False)


def _with_interval(row: dict[str, object], name: str) -> str:
    from python_steps.ai_decision.evaluation.report import three_digits

    low, high = (three_digits(row[f"{name}_{end}"]) for end in ("low", "high"))
    value = three_digits(row[name])
    return f"{value}\n{low}–{high}" if value and low else value  # noqa: RUF001


def _judge_baselines(tables: Tables, kinds: Sequence[str], most: int) -> tuple[pa.Table, pa.Table]:
    from python_steps.embeddings.encoder import load_encoder
    from python_steps.warehouse import classifier_evaluation

    return classifier_evaluation.judge_baselines(tables, kinds, encoder=load_encoder(), most=most)


def _floors_of_classifier() -> dict[str, float]:
    from python_steps.ai_decision.evaluation.measures import MEASURES

    return dict.fromkeys(("f1", *MEASURES), 0.0)


@click.command("classifier")
@warehouse_option
@click.option(
    "--document-type",
    type=click.Choice(["paper", "patent", "both"]),
    default="both",
    show_default=True,
    help="Kind of document to evaluate.",
)
@click.option(
    "--by",
    "dimensions",
    type=click.Choice(["source_name", "label_source", "stratum", "language", "year_band"]),
    multiple=True,
    help="Break results down by this column (repeatable).",
)
@click.option(
    "--baselines",
    metavar="[COUNT]",
    type=click.IntRange(min=1),
    is_flag=False,
    flag_value=5000,
    help="Also train logistic regressions, on words and on vectors, and judge them (minutes). They "
    "read at most 5,000 labelled documents of each kind and split, or COUNT.",
)
@format_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the table as CSV and two plots as PNG.",
)
@click.option(
    "--floor",
    "floors",
    type=FloorOption(_floors_of_classifier),
    multiple=True,
    help="Exit with code 4 if the combined classifier scores below this, e.g. f1=0.8 (above it, "
    "for calibration_error).",
)
@debug_option
@click.pass_context
def classifier_command(
    context: click.Context,
    warehouse: str | None,
    document_type: str,
    dimensions: tuple[str, ...],
    baselines: int | None,
    form: str,
    output: Path | None,
    floors: tuple[tuple[str, float], ...],
) -> None:
    """Evaluate the classifier on labelled documents it was not trained on.

    Reports precision, recall, F1, average precision and calibration error (ECE) on
    the split `test`, with 95 % bootstrap intervals. `deepinnovation train --folds`
    cross-validates on all labels instead.

    Exit codes: 2 an option is wrong, 3 the warehouse cannot be read, 4 below a
    floor.

    \b
    For example:
      deepinnovation evaluate classifier
      deepinnovation evaluate classifier --by source_name --by language
      deepinnovation evaluate classifier --baselines
      deepinnovation evaluate classifier --floor f1=0.8 --output evaluation
    """
    import pyarrow as pa

    from python_steps.ai_decision.evaluation import report
    from python_steps.ai_decision.evaluation.measures import DIMENSIONS
    from python_steps.warehouse import classifier_evaluation

    if output is not None:
        require("--output", "evaluate", "matplotlib")
        output = output.expanduser().resolve()
    kinds = ("paper", "patent") if document_type == "both" else (document_type,)
    tables = tables_at(chosen_warehouse(warehouse), os.environ)
    measured, predictions = classifier_evaluation.read(
        tables, kinds, with_predictions=output is not None
    )
    if baselines:
        found, said = _judge_baselines(tables, kinds, baselines)
        measured = pa.concat_tables([measured, found], promote_options="permissive")
        if predictions is not None:
            predictions = pa.concat_tables([predictions, said], promote_options="permissive")
    console = output_console() if form == "table" else error_console()
    if form == "table":
        shown = [name for name in DIMENSIONS if name in dimensions] or ["all"]
        show(measured, shown, console)
    else:
        pour(measured, form)
    if output is not None:
        for path in report.write(measured, predictions, output):
            console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    conclude(context, report.below(measured, floors))
