"""Cross-validate the classifiers on labels of a warehouse."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from python_steps.ai_decision import classifier
from python_steps.ai_decision.evaluation import folds as evaluation_folds
from python_steps.ai_decision.evaluation import measures
from python_steps.ai_decision.folders import read_description, stages
from python_steps.ai_decision.training.folder import make_folder
from python_steps.ai_decision.training.settings import Settings
from python_steps.warehouse.examples import TABLE, read_examples
from python_steps.warehouse.places import Tables

if TYPE_CHECKING:
    from rich.console import Console


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
    of_layers = [(layer, read_layer(layer=layer)) for layer in classifier.LAYERS]
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
    with progress(console) as report:
        judged = evaluation_folds.cross_validate(
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
    predictions = evaluation_folds.predictions(judged)
    return measures.evaluate(predictions), predictions


def _titles_known_to(
    start_from: Path, tables: Tables, folded: set[str]
) -> tuple[pa.Array, list[str]]:
    """
    Return the title keys, in this warehouse, of the sources that trained a classifier.

    Documents of two sources are not always merged: one may lack authors. That the sources which are
    folded are not among them is seen to elsewhere. Sources that are not here come second.
    """
    card = [
        row for stage in stages(read_description(start_from)) for row in stage.get("examples", [])
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


@contextlib.contextmanager
def progress(console: Console) -> Iterator[evaluation_folds.Report]:
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
