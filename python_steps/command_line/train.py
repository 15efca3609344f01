"""`deepinnovation train`: train a classifier on labels of a warehouse."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.ai_decision import classifier
from python_steps.ai_decision.training import train as training_train
from python_steps.ai_decision.training.examples import accepted
from python_steps.ai_decision.training.folder import FEWEST_TO_JUDGE_A_LANGUAGE
from python_steps.ai_decision.training.settings import Settings, Training
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


def train_and_tell(
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
    Train with a progress bar and say what came of it; the parameters are those of :func:`train`.

    An inner layer learns from what the outer layer accepts that lies beside it, or else the
    packaged one, and goes on from its weights where they are of the same kind.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    if settings.layer == "inner":
        beside = folder.parent if any(folder.parent.glob("outer_*")) else None
        outer = classifier.load_classifiers(
            str(beside) if beside else classifier.PACKAGED,
            layers=["outer"],
            document_types=settings.document_types,
            precision=precision,
            device=device,
        )
        names = " and ".join(
            f"the packaged {Path(each.folder).name}"
            if Path(each.folder).parent == classifier.PACKAGED_FOLDER
            else each.folder
            for each in outer
        )
        before = examples.num_rows
        console.print(
            f"Asking {names} which of {before:,} examples it accepts…",
            soft_wrap=True,
            highlight=False,
        )
        examples = pa.concat_tables(
            accepted(
                examples.filter(
                    pc.is_in(examples.column("document_type"), pa.array(each.document_types))
                ),
                each,
            )
            for each in outer
        )
        if start_from is None and len(outer) == 1:
            start_from = _start(outer[0], settings)
    counts = examples.group_by(["split", "is_ai"]).aggregate([([], "count_all")]).sort_by("split")
    for row in counts.to_pylist():
        label = "AI" if row["is_ai"] else "not AI"
        console.print(f"{row['count_all']:,} examples labelled {label} in {row['split']}")
    columns = ("[progress.description]{task.description}", "{task.fields[told]}")
    bars = (TextColumn(columns[0]), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*bars, TextColumn(columns[1]), console=console) as progress:
        task = progress.add_task("Training", total=None, told="")

        def report(step: int, steps: int, last: dict[str, float]) -> None:
            told = f"average precision {last['average_precision']:.3f}" if last else ""
            progress.update(task, completed=step, total=steps, told=told)

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
    for name, value in trained.description["validation"].items():
        console.print(f"validation {name.replace('_', ' ')}: {value:.4g}")
    judged = trained.description["validation_by_language"]
    well = trained.description["languages"]
    if judged and not well:
        console.print(
            f"No language is judged well enough, F1 {settings.language_floor} or more on "
            f"{FEWEST_TO_JUDGE_A_LANGUAGE} examples of validation: every document whose language "
            "is known will be refused. Deliver more labels, or look at those that there are.",
            style="yellow",
        )
    else:
        console.print(f"languages that are judged: {', '.join(well) or 'unknown'}")
    console.print(
        f"Written to {folder}. Use it with --vars '{{classifiers: {folder.parent}}}'.",
        soft_wrap=True,
        highlight=False,
    )
    return trained


def _start(outer: classifier.Classifier, settings: Settings) -> Path | None:
    """Return the folder of an outer layer, if its weights are such as an inner one goes on from."""
    folder = Path(outer.folder)
    told = classifier.read_description(folder)
    same = ("base_model", "method", "adapter_rank", "trained_layers")
    trained = told.get("settings", {})
    is_alike = all(trained.get(name) == getattr(settings, name) for name in same)
    return folder if is_alike else None


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
    train_and_tell(
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
