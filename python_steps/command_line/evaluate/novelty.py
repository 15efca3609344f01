"""`deepinnovation evaluate novelty`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa

from python_steps.command_line.console import conclude, error_console, output_console, pour
from python_steps.command_line.options import (
    VARIABLES,
    FloorOption,
    chosen_warehouse,
    debug_option,
    format_option,
    project_folder,
    require,
    warehouse_option,
)
from python_steps.engine.progress import shown
from python_steps.novelty.evaluation import options
from python_steps.novelty.evaluation.evaluate import Report
from python_steps.novelty.evaluation.options import Row, corpora_of
from python_steps.novelty.evaluation.report import (
    MEASURES_IN_WORDS,
    WAYS_IN_WORDS,
    three_values,
    with_interval,
)
from python_steps.warehouse.places import tables_at

if TYPE_CHECKING:
    from rich.console import Console


@contextlib.contextmanager
def progress() -> Iterator[Report]:
    """Yield a function that shows the progress in years."""
    with shown("Evaluating novelty", unit="years") as progress:

        def report(what: str, done: int, of_all: int) -> None:
            progress.update(done, total=of_all, description=what)

        yield report


def show(measured: pa.Table, console: Console) -> None:
    """Print three tables per corpus, with 95 % intervals."""
    if not measured.num_rows:
        console.print("No document has a year and a keyword or class: nothing to evaluate.")
    rows = measured.to_pylist()
    for corpus in corpora_of(measured):
        of_corpus = [row for row in rows if row["corpus"] == corpus]
        _show_ways(corpus, of_corpus, console)
        _show_years(corpus, of_corpus, console)
        _show_scores(corpus, of_corpus, console)


def _show_ways(corpus: str, rows: Sequence[Row], console: Console) -> None:
    found = {name: [row for row in rows if row["measure"] == name] for name in WAYS_IN_WORDS}
    lines = [
        (words, *three_values(found[way], year=None))
        for way, words in WAYS_IN_WORDS.items()
        if found[way]
    ]
    if lines:
        title = f"{corpus}: how often a real document is less surprising than a made-up one (AUC)"
        _print(
            console, title, ["made up by", "documents", "block model", "mean PMI", "lead"], lines
        )
    else:
        console.print(f"{corpus}: no year is scored; all are burn-in.", highlight=False)


def _show_years(corpus: str, rows: Sequence[Row], console: Console) -> None:
    found = [row for row in rows if row["measure"] == options.DEGREE_MATCHED]
    years = sorted({row["year"] for row in found if row["year"] is not None})
    lines = [(str(year), *three_values(found, year=year)) for year in years]
    if lines:
        title = f"{corpus} by year: real versus {WAYS_IN_WORDS[options.DEGREE_MATCHED]} (AUC)"
        _print(console, title, ["year", "documents", "block model", "mean PMI", "lead"], lines)


def _show_scores(corpus: str, rows: Sequence[Row], console: Console) -> None:
    lines = []
    for row in rows:
        measure, group, scorer = row["measure"], row["group"], row["scorer"]
        is_field_check = measure in (options.HIGHLY_CITED, options.AWARDED)
        if measure in WAYS_IN_WORDS or (is_field_check and group is not None):
            continue
        if measure == options.SCORED:
            words = "scored" if group == "scored" else f"not scored: {group.replace('_', ' ')}"
        elif measure == options.BY_SIZE:
            words = f"{MEASURES_IN_WORDS[measure]}: {group}"
        elif measure in (options.REPRODUCED, options.REPEATED):
            words = MEASURES_IN_WORDS[measure]
        else:
            words = f"{scorer.replace('_', ' ')}: {MEASURES_IN_WORDS[measure]}"
        of_all = "" if row["others"] is None else f" of {row['documents'] + row['others']:,}"
        lines.append((words, f"{row['documents']:,}{of_all}", with_interval(row, " ")))
    _print(console, f"{corpus}: the scores", ["what", "documents", "figure"], lines)


def _print(
    console: Console, title: str, names: Sequence[str], lines: Sequence[Sequence[str]]
) -> None:
    from rich.table import Table

    table = Table(title=title, title_justify="left", padding=(0, 0, 0, 1))
    table.add_column(names[0], overflow="fold")
    for name in names[1:]:
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(*line)
    console.print(table, highlight=False, markup=False)


def _floors_of_novelty() -> dict[str, float]:
    from python_steps.novelty.evaluation.report import BOUNDS

    return {name: bound.lowest for name, bound in BOUNDS.items()}


@click.command("novelty")
@warehouse_option
@click.option(
    "--corpus",
    "corpora",
    # As novelty_evaluation.CORPORA has them, which help must not wait for.
    type=click.Choice(["paper_content", "patent_content", "paper_context", "patent_context"]),
    multiple=True,
    help="Evaluate keywords (content), or classes and topics (context), of papers or patents "
    "(repeatable).  [default: all]",
)
@click.option(
    "--vars",
    "variables",
    type=VARIABLES,
    default="{}",
    help="Variables that the warehouse was built with, as '{novelty_communities: 128}'.",
)
@click.option(
    "--most-per-year",
    type=click.IntRange(min=20),
    default=5000,
    show_default=True,
    help="Maximum number of documents per year to compare with made-up ones.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@format_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the figures as CSV and plots as PNG.",
)
@click.option(
    "--floor",
    "floors",
    type=FloorOption(_floors_of_novelty),
    multiple=True,
    help="Exit with code 4 if a corpus scores below this, e.g. degree_matched=0.7 or lead=-0.03 "
    "(above it, for size_correlation and for the distance of shuffled from .5).",
)
@debug_option
@click.pass_context
def novelty_command(
    context: click.Context,
    warehouse: str | None,
    corpora: tuple[str, ...],
    variables: dict[str, Any],
    most_per_year: int,
    seed: int,
    form: str,
    output: Path | None,
    floors: tuple[tuple[str, float], ...],
) -> None:
    """Check that novelty scores separate real documents from shuffled ones.

    Fits the model again, year by year, and reports how often documents of the
    next year surprise it less than made-up ones of the same size (AUC), beside
    the mean PMI of pairs. It also reports the same for shuffled keywords, where
    .5 is right; how many documents are scored; whether scores depend on the
    number of keywords; whether they can be reproduced to the bit, with and
    without the last two years; and how much more novel the most cited tenth of a
    venue and year is, or its awarded papers. Intervals are 95 %.

    Exit codes: 2 an option is wrong, 3 the warehouse cannot be read, 4 below a
    floor.

    \b
    For example:
      deepinnovation evaluate novelty
      deepinnovation evaluate novelty --corpus paper_content --output evaluation
      deepinnovation evaluate novelty --floor share_scored=0.5 --floor shuffled=0.02
      deepinnovation evaluate novelty --vars '{novelty_burn_in_documents: 50}'
    """
    from python_steps.building.settings import project_variables
    from python_steps.novelty.evaluation import report as evaluation_report
    from python_steps.novelty.evaluation.options import CORPORA, Options
    from python_steps.warehouse import novelty_evaluation

    if output is not None:
        require("--output", "evaluate", "matplotlib")
    try:
        settings = novelty_evaluation.settings_of(project_variables(project_folder()) | variables)
    except ValueError as error:
        raise click.UsageError(f"--vars: {error}.") from error
    with progress() as report:
        measured = novelty_evaluation.measure(
            tables_at(chosen_warehouse(warehouse), os.environ),
            [corpus for corpus in CORPORA if corpus in corpora or not corpora],
            settings,
            Options(documents_a_year=most_per_year, seed=seed),
            report,
        )
    console = output_console() if form == "table" else error_console()
    if form == "table":
        show(measured, console)
    else:
        pour(measured, form)
    if output is not None:
        for path in evaluation_report.write(measured, output.expanduser().resolve()):
            console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    for sentence in evaluation_report.alarms(measured):
        click.echo(sentence, err=True)
    conclude(context, evaluation_report.below(measured, floors))
