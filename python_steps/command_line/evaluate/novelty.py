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
    Documented,
    FloorOption,
    Variables,
    chosen_warehouse,
    debug_option,
    format_option,
    project_folder,
    warehouse_option,
)
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
def progress(console: Console) -> Iterator[Report]:
    """Yield what shows how many years are done of what."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TextColumn("years"), console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def report(what: str, done: int, of_all: int) -> None:
            progress.update(task, description=what, completed=done, total=of_all)

        yield report


def show(measured: pa.Table, console: Console) -> None:
    """Print three tables for each corpus, 95 % intervals below or beside the values."""
    if not measured.num_rows:
        console.print("No document has a keyword or class and a year: nothing to judge.")
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
        title = f"{corpus}: how often a real document surprises less than a made-up one (AUC)"
        _print(
            console, title, ["made up by", "documents", "block model", "mean PMI", "lead"], lines
        )
    else:
        console.print(f"{corpus}: no year is scored, all are burn-in.", highlight=False)


def _show_years(corpus: str, rows: Sequence[Row], console: Console) -> None:
    found = [row for row in rows if row["measure"] == options.DEGREE_MATCHED]
    years = sorted({row["year"] for row in found if row["year"] is not None})
    lines = [(str(year), *three_values(found, year=year)) for year in years]
    if lines:
        title = f"{corpus} by year: real against {WAYS_IN_WORDS[options.DEGREE_MATCHED]} (AUC)"
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


@click.command("novelty", cls=Documented)
@warehouse_option
@click.option(
    "--corpus",
    "corpora",
    # As novelty_evaluation.CORPORA has them, which help must not wait for.
    type=click.Choice(["paper_content", "patent_content", "paper_context", "patent_context"]),
    multiple=True,
    help="Judge keywords (content) or classes and topics (context) of papers or patents; may be "
    "repeated.  [default: all]",
)
@click.option(
    "--vars",
    "variables",
    type=Variables(),
    default="{}",
    help="Those that the warehouse was built with, as '{novelty_communities: 128}'.",
)
@click.option(
    "--most-per-year",
    type=click.IntRange(min=20),
    default=5000,
    show_default=True,
    help="Hold at most so many documents of a year against made-up ones.",
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
    help="Exit with 4 where a corpus is worse, as degree_matched=0.7 or lead=-0.03; of "
    "size_correlation, and of the distance of shuffled from .5, the most that may be.",
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
    """Judge the novelty scores of a warehouse by what they should be able to tell.

    Learns the model anew, year by year, and tells how often the documents of the
    next year surprise it less than made-up ones of the same size (AUC), beside the
    mean PMI of pairs; the same on shuffled keywords, where .5 is right; how many
    documents are scored; whether scores follow the number of keywords; whether they
    come out again to the bit, with and without the last two years; and how much more
    novel the most cited tenth of a venue and year is, or what it awarded. Intervals
    hold 95 %. The exit code is 2 if an option is wrong, 3 if the warehouse cannot be
    read, 4 below a floor.

    For example:
      deepinnovation evaluate novelty
      deepinnovation evaluate novelty --corpus paper_content --output evaluation
      deepinnovation evaluate novelty --floor share_scored=0.5 --floor shuffled=0.02
      deepinnovation evaluate novelty --vars '{novelty_burn_in_documents: 20000}'
    """
    from python_steps.building.settings import project_variables
    from python_steps.novelty.evaluation import report as evaluation_report
    from python_steps.novelty.evaluation.options import CORPORA, Options
    from python_steps.warehouse import novelty_evaluation

    try:
        settings = novelty_evaluation.settings_of(project_variables(project_folder()) | variables)
    except ValueError as error:
        raise click.UsageError(f"--vars: {error}.") from error
    with progress(error_console()) as report:
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
