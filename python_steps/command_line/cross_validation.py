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
from python_steps.engine.progress import shown
from python_steps.warehouse.examples import TABLE, read_examples
from python_steps.warehouse.opening import opened
from python_steps.warehouse.places import Tables

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class CrossValidation:
    """
    What `train --folds` asks for.

    Attributes
    ----------
    folds
        Number of folds; each is evaluated by classifiers trained on the others.
    settings
        Of both layers.
    sources, label_sources, languages
        Which examples to use; all if empty.
    start_from
        Outer classifier to start from.
    precision, device
        As for :func:`training.train`.
    """

    folds: int
    settings: Settings
    sources: Sequence[str] = ()
    label_sources: Sequence[str] = ()
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
    Train and evaluate by folds; return the measures and the predictions behind them.

    The judgement of every document is written to `judgements.parquet` in the folder.

    Raises
    ------
    InputError
        If the warehouse has no such examples.
    TrainingError
        If there are too few of a kind.
    """
    read_layer = partial(
        read_examples,
        tables,
        document_types=document_types,
        splits=("train", "validation", "test"),
        sources=asked.sources,
        label_sources=asked.label_sources,
        languages=asked.languages,
    )
    of_layers = [(layer, read_layer(layer=layer)) for layer in classifier.LAYERS]
    examples = pa.concat_tables(
        part.append_column("layer", pa.repeat(layer, part.num_rows)) for layer, part in of_layers
    )
    if asked.start_from is not None:
        examples = _unknown_examples(examples, asked.start_from, tables, console)
    make_folder(folder)
    with progress(console) as report:
        judged = evaluation_folds.cross_validate(
            examples,
            folder,
            asked.settings,
            # --recall is for the outer layer, which must miss nothing.
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


def _unknown_examples(
    examples: pa.Table, start_from: Path, tables: Tables, console: Console
) -> pa.Table:
    """Return the examples whose title the classifier to start from cannot know; print the rest."""
    folded = set(examples.column("source_name").to_pylist())
    known, not_here = _titles_known_to(start_from, tables, folded)
    if not_here:
        console.print(
            f"{start_from.name} also learned from {', '.join(not_here)}, which this warehouse "
            "does not have under that name: if it has documents of it, they are evaluated by a "
            "classifier that has seen them.",
            style="yellow",
            soft_wrap=True,
        )
    is_known = pc.is_in(examples.column("title_key"), known)
    left_out = len(set(examples.filter(is_known).column("document_id").to_pylist()))
    if left_out:
        console.print(
            f"Left out: {left_out:,} documents whose title {start_from.name} may know from "
            "another source.",
            soft_wrap=True,
        )
    return examples.filter(pc.invert(is_known))


def _titles_known_to(
    start_from: Path, tables: Tables, folded: set[str]
) -> tuple[pa.Array, list[str]]:
    """
    Return title keys of the sources that trained a classifier, and sources not in this warehouse.

    Documents of two sources are not always merged: one may lack authors. Whether a classifier knows
    a folded source itself is checked elsewhere.
    """
    card = [
        row for stage in stages(read_description(start_from)) for row in stage.get("examples", [])
    ]
    named = sorted({row["source_name"] for row in card} - folded)
    query = (
        f"select source_name, title_key from {'.'.join(TABLE)} "
        "where source_name in (select unnest(?::varchar[])) group by all order by all"
    )
    with opened(tables, [TABLE]) as connection:
        found = connection.sql(query, params=[named]).to_arrow_table()
    here = set(found.column("source_name").to_pylist())
    titles = pc.unique(found.column("title_key"))
    return titles, [name for name in named if name not in here]


@contextlib.contextmanager
def progress(console: Console) -> Iterator[evaluation_folds.Report]:
    """Yield a function that shows the progress of each training, and a line when it is done."""
    with shown("Cross-validating", unit="steps") as progress:

        def report(what: str, done: int, of_all: int, last: dict[str, float]) -> None:
            progress.update(done, total=of_all, description=what)
            if done == of_all:
                score = last.get("average_precision")
                scored = "" if score is None else f", average precision {score:.3f} on validation"
                progress.clear()
                console.print(f"{what}: done{scored}", highlight=False)

        yield report
