"""`deepinnovation train`: train a classifier on labels of a warehouse."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa

from python_steps.ai_decision import classifier
from python_steps.ai_decision.training import train as training_train
from python_steps.ai_decision.training.examples import inner_examples
from python_steps.ai_decision.training.folder import FEWEST_TO_JUDGE_A_LANGUAGE
from python_steps.ai_decision.training.layers import start_of
from python_steps.ai_decision.training.settings import LANGUAGE_FLOOR, Settings, Training
from python_steps.command_line.console import output_console
from python_steps.command_line.options import (
    Documented,
    chosen_warehouse,
    debug_option,
    project_folder,
    warehouse_option,
)
from python_steps.warehouse.places import tables_at

if TYPE_CHECKING:
    from rich.console import Console


def train_and_report(
    examples: pa.Table,
    folder: Path,
    settings: Settings,
    *,
    start_from: Path | None,
    precision: str,
    device: str,
    command: str,
    console: Console,
) -> Training:
    """
    Train with a progress bar and print the result; the parameters are those of :func:`train`.

    An inner layer learns from what the outer layer in the folder beside it accepts, or else the
    packaged one, and starts from its weights where they are of the same kind.
    """
    if settings.layer == "inner":
        outer = _outer_layer(folder, settings, precision, device)
        _print(
            console, f"Asking {_named(outer)} which of {examples.num_rows:,} examples it accepts…"
        )
        examples = inner_examples(examples, outer)
        if start_from is None and len(outer) == 1:
            start_from = start_of(outer[0], settings)
    counts = examples.group_by(["split", "is_ai"]).aggregate([([], "count_all")]).sort_by("split")
    for row in counts.to_pylist():
        label = "AI" if row["is_ai"] else "not AI"
        console.print(f"{row['count_all']:,} examples labelled {label} in {row['split']}")
    with _progress(console) as report:
        trained = training_train.train(
            examples,
            folder,
            settings,
            start_from=start_from,
            precision=precision,
            device=device,
            command=command,
            report=report,
        )
    _show(trained, console)
    return trained


def _outer_layer(
    folder: Path, settings: Settings, precision: str, device: str
) -> list[classifier.Classifier]:
    """Load the outer layer that an inner one learns from."""
    has_own = any(folder.parent.glob("outer_*"))
    return classifier.load_classifiers(
        str(folder.parent) if has_own else classifier.PACKAGED,
        layers=["outer"],
        document_types=settings.document_types,
        precision=precision,
        device=device,
    )


def _named(classifiers: Sequence[classifier.Classifier]) -> str:
    return " and ".join(
        f"the packaged {Path(each.folder).name}"
        if Path(each.folder).parent == classifier.PACKAGED_FOLDER
        else each.folder
        for each in classifiers
    )


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[Callable[[int, int, dict[str, float]], None]]:
    """Yield a reporter of steps that shows a bar and the last average precision."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bars = (TextColumn("Training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*bars, TextColumn("{task.description}"), console=console) as progress:
        task = progress.add_task("", total=None)

        def report(step: int, steps: int, last: dict[str, float]) -> None:
            score = f"average precision {last['average_precision']:.3f}" if last else ""
            progress.update(task, completed=step, total=steps, description=score)

        yield report


def _show(trained: Training, console: Console) -> None:
    """Print the measures of a trained classifier and how to use it."""
    for name, value in trained.description["validation"].items():
        console.print(f"validation {name.replace('_', ' ')}: {value:.4g}")
    languages = trained.description["languages"]
    if trained.description["validation_by_language"] and not languages:
        console.print(
            f"No language reached F1 {LANGUAGE_FLOOR} on {FEWEST_TO_JUDGE_A_LANGUAGE} validation "
            "examples, so documents with a known language will be refused. Add labels or check "
            "yours.",
            style="yellow",
        )
    else:
        console.print(f"languages that are judged: {', '.join(languages) or 'unknown'}")
    folder = trained.folder
    _print(console, f"Written to {folder}. Use it with --vars '{{classifiers: {folder.parent}}}'.")


def _print(console: Console, sentence: str) -> None:
    """Print a sentence in one line, however wide, so that paths in it can be copied."""
    console.print(sentence, soft_wrap=True, highlight=False)


@click.command(cls=Documented)
@warehouse_option
@click.option(
    "--layer", type=click.Choice(["outer", "inner"]), required=True, help="Layer to train."
)
@click.option(
    "--document-type",
    type=click.Choice(["paper", "patent", "both"]),
    required=True,
    help="What the classifier is for.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of your classifiers; this one goes into a folder below.  [default: classifiers in "
    "the project]",
)
@click.option("--source", "sources", multiple=True, help="Learn from this source; may be repeated.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    default=("en",),
    show_default=True,
    help="Learn from texts in this language, or `all`; may be repeated.",
)
@click.option(
    "--most-per-source", type=click.IntRange(min=1), help="Learn from at most so many of a source."
)
@click.option(
    "--start-from",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Go on from this classifier.  [default: an inner layer from the outer one that it reads]",
)
@click.option(
    "--base-model",
    default="all-MiniLM-L6-v2",
    show_default=True,
    help="BERT to start from, by name or folder.",
)
@click.option(
    "--method",
    type=click.Choice(["adapters", "full"]),
    default="adapters",
    show_default=True,
    help="Train low-rank adapters, small to store, or all weights of the trained layers.",
)
@click.option("--adapter-rank", type=click.IntRange(min=1), default=8, show_default=True)
@click.option(
    "--trained-layers",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Upper layers that are trained; 0: all.",
)
@click.option("--epochs", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True)
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    help="[default: .001 for adapters, .00005 for full]",
)
@click.option(
    "--category-weight",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Weight of learning, beside the label, to tell the categories of papers and the "
    "subclasses of patents; .2 does for texts whose label follows from categories.",
)
@click.option("--maximum-tokens", type=click.IntRange(min=8), default=256, show_default=True)
@click.option(
    "--recall",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of AI documents that the layer is to keep.  [default: .98 in the outer one; in the "
    "inner one what gives the best expected F1]",
)
@click.option(
    "--precision", type=click.Choice(["auto", "f32", "bf16"]), default="auto", show_default=True
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True
)
@click.option("--seed", type=click.IntRange(min=0), default=42, show_default=True)
@debug_option
def train_command(
    warehouse: str | None,
    layer: str,
    document_type: str,
    output: Path | None,
    sources: tuple[str, ...],
    languages: tuple[str, ...],
    most_per_source: int | None,
    start_from: Path | None,
    precision: str,
    device: str,
    **settings: Any,  # noqa: ANN401
) -> None:
    """Train a layer of the classifier on the labels of a warehouse.

    Learns from the split `train` of classifier_examples, and stops, calibrates
    and chooses the threshold on `validation`; the split `test` is left for
    `deepinnovation evaluate classifier`. Train the outer layer first: the inner one
    learns from what it accepts. A training that was stopped goes on where it was.
    The folder holds weights as safetensors, a calibration, and a card that says
    what it was trained on.

    For example:
      deepinnovation build --papers tables=papers.parquet --labels labels.csv
          --select +classifier_examples
      deepinnovation train --layer outer --document-type paper --output mine
      deepinnovation train --layer inner --document-type paper --output mine
      deepinnovation build --papers tables=papers.parquet --vars '{classifiers: mine}'
    """
    from python_steps.ai_decision.training import settings as training_settings
    from python_steps.warehouse.examples import read_examples

    types = ("paper", "patent") if document_type == "both" else (document_type,)
    output = (output or project_folder() / "classifiers").expanduser().resolve()
    examples = read_examples(
        tables_at(chosen_warehouse(warehouse), os.environ),
        layer=layer,
        document_types=types,
        sources=sources,
        languages=() if "all" in languages else languages,
        most_per_source=most_per_source,
    )
    train_and_report(
        examples,
        output / f"{layer}_{document_type}",
        training_settings.Settings(layer=layer, document_types=types, **settings),
        start_from=start_from,
        precision=precision,
        device=device,
        command=f"deepinnovation {shlex.join(sys.argv[1:])}",
        console=output_console(),
    )


# What decides a training: those options of `train` that have the name of a setting, or say where.
OPTIONS_OF_TRAINING = (
    *("base_model", "method", "adapter_rank", "trained_layers", "epochs", "batch_size"),
    *("learning_rate", "category_weight", "maximum_tokens", "recall", "seed", "precision"),
    "device",
)


def with_training_options(command: click.Command) -> click.Command:
    """Give a command the options of `train` that decide a training."""
    command.params += [each for each in train_command.params if each.name in OPTIONS_OF_TRAINING]
    return command
