"""`deepinnovation evaluate classifier`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa
from click.core import ParameterSource

from python_steps.ai_decision.evaluation.report import in_order, three_digits
from python_steps.command_line.console import conclude, error_console, output_console, pour
from python_steps.command_line.options import (
    Documented,
    FloorOption,
    chosen_warehouse,
    debug_option,
    format_option,
    warehouse_option,
)
from python_steps.command_line.train import OPTIONS_OF_TRAINING, with_training_options
from python_steps.warehouse.places import tables_at

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "average_precision": "average\nprecision",
    "calibration_error": "calibration\nerror",
}


def show(measured: pa.Table, dimensions: Sequence[str], console: Console) -> None:
    """Print a table for each type of document and dimension, 95 % intervals below the values."""
    from rich.table import Table

    if not measured.num_rows:
        console.print(
            "No labelled document of the split `test` was judged: deliver labels "
            "(deepinnovation build --labels FILE).",
            soft_wrap=True,
        )
    for kind in sorted(set(measured.column("document_type").to_pylist())):
        for dimension in dimensions:
            rows = in_order(measured, kind, dimension)
            if not rows:
                continue
            by = "" if dimension == "all" else f" by {dimension}"
            # Intervals stand whole; on a narrow screen the names are folded.
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
    low, high = (three_digits(row[f"{name}_{end}"]) for end in ("low", "high"))
    value = three_digits(row[name])
    return f"{value}\n{low}–{high}" if value and low else value  # noqa: RUF001


def _floors_of_classifier() -> dict[str, float]:
    from python_steps.ai_decision.evaluation.measures import MEASURES

    return dict.fromkeys(("f1", *MEASURES), 0.0)


def _refuse_options_of_folds(context: click.Context) -> None:
    """Raise where options are given that decide how folds are trained, and there are none."""
    only = {"sources", "languages", "start_from", *OPTIONS_OF_TRAINING}
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in only
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"{', '.join(given)} need{'s' * (len(given) == 1)} --folds.")


@with_training_options
@click.command(cls=Documented)
@warehouse_option
@click.option(
    "--document-type",
    type=click.Choice(["paper", "patent", "both"]),
    default="both",
    show_default=True,
    help="What is judged.",
)
@click.option(
    "--by",
    "dimensions",
    type=click.Choice(["source_name", "label_source", "stratum", "language", "year_band"]),
    multiple=True,
    help="Part the documents by this; may be repeated.",
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
    help="Exit with 4 where two layers together are worse, as f1=0.8; of calibration_error the "
    "most that may be.",
)
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    help="Train anew in so many folds, each judged by the others, instead of reading the "
    "warehouse's figures. Needs --output.",
)
@click.option("--source", "sources", multiple=True, help="Fold this source; may be repeated.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    help="Fold texts in this language; may be repeated.  [default: all]",
)
@click.option(
    "--start-from",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Let the outer layer of each fold go on from this classifier, trained on other sources.",
)
@debug_option
@click.pass_context
def classifier_command(
    context: click.Context,
    warehouse: str | None,
    document_type: str,
    dimensions: tuple[str, ...],
    form: str,
    output: Path | None,
    floors: tuple[tuple[str, float], ...],
    folds: int | None,
    sources: tuple[str, ...],
    languages: tuple[str, ...],
    start_from: Path | None,
    precision: str,
    device: str,
    **settings: Any,  # noqa: ANN401
) -> None:
    """Judge the classifier and its baselines by labelled documents that did not train it.

    Tells precision, recall, F1, average precision and calibration error (ECE), with
    95 % intervals by bootstrap, on the split `test`. With --folds, the classifiers
    are trained anew instead, without the fold that they judge: the options of
    `deepinnovation train` apply to both layers, --recall to the outer one, and what
    is finished lies in the folder --output, so that a run that was stopped goes on.
    The exit code is 2 if an option is wrong, 3 if the warehouse cannot be read, 4
    below a floor.

    For example:
      deepinnovation evaluate classifier --by source_name --by language
      deepinnovation evaluate classifier --floor f1=0.8 --output evaluation
      deepinnovation evaluate classifier --folds 5 --source arxiv --document-type paper
          --output folds
    """
    from python_steps.ai_decision.evaluation import report
    from python_steps.ai_decision.evaluation.measures import DIMENSIONS
    from python_steps.ai_decision.training import settings as training_settings
    from python_steps.command_line.evaluate import folds as evaluate_folds
    from python_steps.warehouse import classifier_evaluation

    if folds is None:
        _refuse_options_of_folds(context)
    if folds is not None and output is None:
        raise click.UsageError("--folds needs --output FOLDER: where finished folds are kept.")
    kinds = ("paper", "patent") if document_type == "both" else (document_type,)
    tables = tables_at(chosen_warehouse(warehouse), os.environ)
    console = output_console() if form == "table" else error_console()
    output = output and output.expanduser().resolve()
    if folds is None:
        measured, predictions = classifier_evaluation.read(
            tables, kinds, with_predictions=output is not None
        )
    else:
        asked = evaluate_folds.CrossValidation(
            folds=folds,
            settings=training_settings.Settings(layer="outer", document_types=kinds, **settings),
            sources=sources,
            languages=() if "all" in languages else languages,
            start_from=start_from and start_from.resolve(),
            precision=precision,
            device=device,
        )
        measured, predictions = evaluate_folds.cross_validate(tables, kinds, asked, output, console)
    if form == "table":
        shown = [name for name in DIMENSIONS if name in dimensions] or ["all"]
        show(measured, shown, console)
    else:
        pour(measured, form)
    if output is not None:
        for path in report.write(measured, predictions, output):
            console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    conclude(context, report.below(measured, floors))
