"""`deepinnovation evaluate linking`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pyarrow.compute as pc
import pyarrow.csv

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
from python_steps.linking import measures
from python_steps.linking.plots import GAIN, plot
from python_steps.linking.report import Judged, kinds_in_order, place_of, refused
from python_steps.similarity import confidence_plot
from python_steps.warehouse.places import tables_at

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = {"hit_at_1": "hit@1", "hit_at_10": "hit@10", "mean_reciprocal_rank": "MRR"}


def show(judged: Judged, console: Console) -> None:
    """Print a table per kind with 95 % intervals, and how many pairs were left out and why."""
    from rich.table import Table

    given = judged.given.num_rows
    if not given:
        console.print(
            "No known pairs: name a file with --links FILE, or build with that option.",
            soft_wrap=True,
        )
    for kind in kinds_in_order(judged.measured):
        rows = [row for row in judged.measured.to_pylist() if row["kind"] == kind]
        some = rows[0]
        what = "all that are the same" if kind == measures.ALL_SAME else kind.replace("_", " ")
        meaning = {True: "", False: ", another invention: lower is better"}
        title = (
            f"{what}{meaning.get(some['is_same'], ', the same or not')}: {some['pairs']:,} pairs "
            f"of {some['papers']:,} papers, each among {some['eligible_patents']:,.0f} patents"
        )
        table = Table(title=title, title_justify="left", show_lines=True, padding=(0, 0, 0, 1))
        table.add_column("ranked by", overflow="fold")
        for heading in (*HEADINGS.values(), f"MRR minus that\nof {judged.baseline}"):
            table.add_column(heading, justify="right", no_wrap=True)
        for row in sorted(rows, key=lambda row: place_of(row, judged.baseline)):
            gain = "" if row["method"] == judged.baseline else _number(row, GAIN, "+.3f")
            values = (_number(row, name, ".3f") for name in HEADINGS)
            table.add_row(_in_words(row), *values, gain)
        console.print(table, highlight=False, markup=False)
    for sentence in refused(judged):
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)


def write(judged: Judged, folder: Path) -> list[Path]:
    """Write figures, ranks and what was not judged as CSV, and plots as PNG; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    not_judged = judged.given.filter(pc.is_valid(judged.given.column("reason")))
    files = {
        "linking_quality.csv": judged.measured,
        "linking_ranks.csv": judged.ranked,
        "links_not_judged.csv": not_judged,
    }
    plots = {"linking.png": plot(judged.ranked) if judged.ranked.num_rows else None}
    if judged.calibration is not None:
        files["similarity_calibration.csv"] = judged.calibration
        plots["similarity_calibration.png"] = confidence_plot.calibration_plot(judged.calibration)
    for name, table in files.items():
        pyarrow.csv.write_csv(table, folder / name)
    for name, picture in plots.items():
        if picture:
            (folder / name).write_bytes(picture)
    return [folder / name for name in (*files, *(name for name in plots if plots[name]))]


def _in_words(row: Mapping[str, Any]) -> str:
    reranked = row["reranked_candidates"]
    words = row["method"].replace("_", " ").replace("+", " + ")
    return words if reranked is None else f"{words}, nearest {reranked} only"


def _number(row: Mapping[str, Any], name: str, form: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    between = " to " if form.startswith("+") else "–"  # noqa: RUF001
    return f"{row[name]:{form}}\n{low:{form}}{between}{high:{form}}"


def _floors_of_linking() -> dict[str, float]:
    from python_steps.linking.measures import MEASURES

    return dict.fromkeys(MEASURES, 0.0)


@click.command("linking")
@warehouse_option
@click.option(
    "--links",
    metavar="PATH",
    help="Table of known pairs: paper_id, patent_id, kind.  [default: those given to the build]",
)
@click.option(
    "--vars",
    "variables",
    type=VARIABLES,
    default="{}",
    help="Variables that the warehouse was built with, as '{compared_space: keywords}'.",
)
@format_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for CSV files (figures, the rank of each pair, pairs left out) and plots as PNG; "
    "for the known pairs of a build also the reliability of confidences.",
)
@click.option(
    "--floor",
    "floors",
    type=FloorOption(_floors_of_linking),
    multiple=True,
    help="Exit with code 4 if pairs of the same invention score below this by vectors of "
    "compared_space alone, e.g. hit_at_10=0.8.",
)
@debug_option
@click.pass_context
def linking_command(
    context: click.Context,
    warehouse: str | None,
    links: str | None,
    variables: dict[str, Any],
    form: str,
    output: Path | None,
    floors: tuple[tuple[str, float], ...],
) -> None:
    """Measure how often the right patent of a paper is found, using known pairs.

    Reports, by kind of pair, how often the patent of a known pair comes first
    (hit@1) or in the first ten (hit@10) among all AI patents that its paper may be
    matched to, and the mean reciprocal rank (MRR): ranked by vectors, by shared
    words (BM25), by both fused, and with only the nearest by vectors re-ranked.
    Says which pairs could not be used, and why. A paper or patent is named by its
    source's id or by document_id; kind is free text, and near_miss and related
    are other inventions (seeds/reference/link_kinds.csv). Intervals are 95 %.

    Exit codes: 2 an option is wrong, 3 the links or the warehouse cannot be read,
    4 below a floor.

    \b
    For example:
      deepinnovation evaluate linking
      deepinnovation evaluate linking --links pairs.csv --output evaluation
      deepinnovation evaluate linking --links citations.parquet --floor hit_at_10=0.5
    """
    from python_steps.linking import report
    from python_steps.warehouse import known_pairs

    if links == "":
        raise click.UsageError("--links is empty: name a file.")
    if output is not None:
        require("--output", "evaluate", "matplotlib")
    project = project_folder()
    variables = _all_variables(project, variables)
    beside = error_console()
    with shown("Ranking the patents of known pairs…"):
        judged = known_pairs.judge(
            tables_at(chosen_warehouse(warehouse), os.environ),
            links,
            project=project,
            variables=variables,
        )
    console = output_console() if form == "table" else beside
    if form == "table":
        show(judged, console)
    else:
        pour(judged.measured, form)
        for sentence in report.refused(judged):
            click.echo(sentence, err=True)
    if output is not None:
        for path in write(judged, output.expanduser().resolve()):
            console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    conclude(context, report.below(judged, floors))


def _all_variables(project: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of the project, as given or as declared; refuse wrong values."""
    from python_steps.building.project_sql import StagingSql
    from python_steps.building.settings import project_variables

    variables = project_variables(project) | given
    try:
        StagingSql(project, variables).check_variables()
    except ValueError as error:
        raise click.UsageError(f"--vars: {error}") from error
    return variables
