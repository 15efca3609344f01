"""What `deepinnovation evaluate classifier` reads from a warehouse, tells and writes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from python_steps import classification, cross_validation, evaluation
from python_steps.examples import TABLE, open_for, read_examples
from python_steps.training import Settings, make_folder
from python_steps.warehouse import Tables

if TYPE_CHECKING:
    from rich.console import Console

PREDICTIONS = "int_documents_judged"
MART = "classifier_evaluation"

# At the top the classifier, then the baselines.
FIRST = (evaluation.TOGETHER, evaluation.OUTER, evaluation.INNER)
HEADINGS = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "average_precision": "average\nprecision",
    "calibration_error": "calibration\nerror",
}
# The one measure that is better where it is smaller: its floor is a ceiling.
SMALLER_IS_BETTER = "calibration_error"


@dataclass(frozen=True)
class CrossValidation:
    """
    What `--folds` asks for.

    Attributes
    ----------
    folds
        Parts that each are judged by what the others trained.
    settings
        Of both layers.
    sources, languages
        Which examples take part; all where there are none.
    start_from
        Outer classifier to go on from.
    precision, device
        As for :func:`training.train`.
    """

    folds: int
    settings: Settings
    sources: Sequence[str] = ()
    languages: Sequence[str] = ()
    start_from: Path | None = None
    precision: str = "auto"
    device: str = "auto"


@dataclass(frozen=True)
class Floor:
    """A measure and the value that two layers together must reach."""

    measure: str
    value: float

    def is_missed_by(self, found: float | None) -> bool:
        """Whether a value is worse; a missing one is."""
        if found is None:
            return True
        return found > self.value if self.measure == SMALLER_IS_BETTER else found < self.value


def read(
    tables: Tables, document_types: Sequence[str], *, with_predictions: bool
) -> tuple[pa.Table, pa.Table | None]:
    """
    Return the mart, and where asked for the predictions behind it, of types of documents.

    Raises
    ------
    InputError
        When the warehouse cannot be read or was built without them.
    """
    measured = _read(tables, "marts", MART, document_types)
    if not with_predictions:
        return measured, None
    return measured, _read(tables, "intermediate", PREDICTIONS, document_types)


def cross_validate(
    tables: Tables,
    document_types: Sequence[str],
    asked: CrossValidation,
    folder: Path,
    console: Console,
) -> tuple[pa.Table, pa.Table]:
    """
    Train and judge by folds, and return what is measured and the predictions behind it.

    The judgements of every document are written to `judgements.parquet` in the folder.

    Raises
    ------
    InputError
        When the warehouse has no such examples.
    TrainingError
        When there are too few of a kind.
    """
    read_layer = partial(
        read_examples,
        tables,
        document_types=document_types,
        splits=("train", "validation", "test"),
        sources=asked.sources,
        languages=asked.languages,
    )
    of_layers = [(layer, read_layer(layer=layer)) for layer in classification.LAYERS]
    examples = pa.concat_tables(
        part.append_column("layer", pa.repeat(layer, part.num_rows)) for layer, part in of_layers
    )
    if asked.start_from is not None:
        folded = set(examples.column("source_name").to_pylist())
        known, not_here = _titles_known_to(asked.start_from, tables, folded)
        if not_here:
            console.print(
                f"{asked.start_from.name} also learned from {', '.join(not_here)}, which this "
                "warehouse does not hold by that name: documents of it would be judged by what "
                "has seen them.",
                style="yellow",
                soft_wrap=True,
            )
        is_known = pc.is_in(examples.column("title_key"), known)
        left_out = len(set(examples.filter(is_known).column("document_id").to_pylist()))
        if left_out:
            console.print(
                f"Left out: {left_out:,} documents of which {asked.start_from.name} may know the "
                "title from another source.",
                soft_wrap=True,
            )
        examples = examples.filter(pc.invert(is_known))
    make_folder(folder)
    with _progress(console) as report:
        judged = cross_validation.cross_validate(
            examples,
            folder,
            asked.settings,
            # Which recall is asked for is a question to the layer that is to miss nothing.
            replace(asked.settings, recall=None),
            folds=asked.folds,
            start_from=asked.start_from,
            precision=asked.precision,
            device=asked.device,
            report=report,
        )
    path = folder / "judgements.parquet"
    pq.write_table(judged, path)
    console.print(f"Judgements: {path}", highlight=False, soft_wrap=True)
    predictions = cross_validation.predictions(judged)
    return evaluation.evaluate(predictions), predictions


def below(measured: pa.Table, floors: Sequence[Floor]) -> list[str]:
    """Tell, in a sentence each, what two layers together miss of the floors."""
    rows = [
        row
        for row in measured.to_pylist()
        if row["judge"] == evaluation.TOGETHER and row["dimension"] == "all"
    ]
    if floors and not rows:
        return ["There are no labelled documents to judge, so no floor is reached."]
    return [
        f"{floor.measure} of two layers together on {row['document_type']}s is "
        f"{_number(row[floor.measure]) or 'missing'}, and must be at "
        f"{'most' if floor.measure == SMALLER_IS_BETTER else 'least'} {floor.value:g}."
        for row in rows
        for floor in floors
        if floor.is_missed_by(row[floor.measure])
    ]


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
            rows = _ordered(measured, kind, dimension)
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


def write(measured: pa.Table, predictions: pa.Table, folder: Path) -> list[Path]:
    """Write the whole table as CSV and two plots as PNG; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "classifier_evaluation.csv"
    pyarrow.csv.write_csv(measured, table)
    written = [table]
    for name, plot in (
        ("reliability.png", evaluation.reliability_plot),
        ("precision_recall.png", evaluation.precision_recall_plot),
    ):
        (folder / name).write_bytes(plot(predictions))
        written.append(folder / name)
    return written


def _ordered(measured: pa.Table, kind: str, dimension: str) -> list[dict[str, object]]:
    rows = [
        row
        for row in measured.to_pylist()
        if row["document_type"] == kind and row["dimension"] == dimension
    ]
    place = {judge: number for number, judge in enumerate(FIRST)}
    return sorted(
        rows, key=lambda row: (row["value"], place.get(row["judge"], len(FIRST)), row["judge"])
    )


def _with_interval(row: dict[str, object], name: str) -> str:
    low, high = (_number(row[f"{name}_{end}"]) for end in ("low", "high"))
    value = _number(row[name])
    return f"{value}\n{low}–{high}" if value and low else value  # noqa: RUF001


def _number(value: object) -> str:
    return "" if value is None else f"{value:.3f}"


def _titles_known_to(
    start_from: Path, tables: Tables, folded: set[str]
) -> tuple[pa.Array, list[str]]:
    """
    Return the title keys, in this warehouse, of the sources that trained a classifier.

    Documents of two sources are not always merged: one may lack authors. That the sources which are
    folded are not among them is seen to elsewhere. Sources that are not here come second.
    """
    card = [
        row
        for stage in classification.stages(classification.read_description(start_from))
        for row in stage.get("examples", [])
    ]
    named = sorted({row["source_name"] for row in card} - folded)
    query = (
        f"select source_name, title_key from {'.'.join(TABLE)} "
        "where source_name in (select unnest(?::varchar[])) group by all order by all"
    )
    with tables.connect() as connection:
        found = connection.sql(query, params=[named]).to_arrow_table()
    here = set(found.column("source_name").to_pylist())
    titles = pc.unique(found.column("title_key"))
    return titles, [name for name in named if name not in here]


def _read(tables: Tables, schema: str, table: str, document_types: Sequence[str]) -> pa.Table:
    """Return all rows of types of documents."""
    query = f"from {schema}.{table} where document_type in (select unnest(?)) order by all"
    remedy = "labels, by `deepinnovation build --labels FILE`"
    with open_for(tables, (schema, table), remedy) as connection:
        return connection.sql(query, params=[list(document_types)]).to_arrow_table()


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[cross_validation.Report]:
    """Yield what shows how far each training has come, with a line for each that is done."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        now = ""

        def report(what: str, done: int, of_all: int, last: dict[str, float]) -> None:
            nonlocal now
            if what != now:
                progress.reset(task, description=what, total=of_all)
                now = what
            progress.update(task, completed=done)
            if done == of_all:
                score = last.get("average_precision")
                told = "" if score is None else f", average precision {score:.3f} on validation"
                console.print(f"{what}: done{told}", highlight=False)

        yield report
