"""What `deepinnovation train` does: train with a progress bar, and print the result."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from python_steps.ai_decision import catalogue, classifier
from python_steps.ai_decision.folders import PACKAGED_FOLDER
from python_steps.ai_decision.training import train
from python_steps.ai_decision.training.examples import inner_examples
from python_steps.ai_decision.training.folder import FEWEST_TO_JUDGE_A_LANGUAGE
from python_steps.ai_decision.training.layers import start_of
from python_steps.ai_decision.training.settings import LANGUAGE_FLOOR, Settings, Training
from python_steps.engine.progress import shown
from python_steps.errors import TrainingError

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

    An inner layer learns from what the outer layer accepts: the one in the same parent folder, or
    else the packaged one. It starts from that layer's weights if they are of the same kind.
    """
    if settings.layer == "inner":
        outer = _outer_layers(folder, settings, precision, device)
        examples = _accepted_examples(examples, outer, console)
        if start_from is None and len(outer) == 1:
            start_from = start_of(outer[0], settings)
    counts = examples.group_by(["split", "is_ai"]).aggregate([([], "count_all")]).sort_by("split")
    for row in counts.to_pylist():
        label = "AI" if row["is_ai"] else "not AI"
        console.print(f"{row['count_all']:,} examples labelled {label} in {row['split']}")
    with _progress() as report:
        trained = train.train(
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


def _outer_layers(
    folder: Path, settings: Settings, precision: str, device: str
) -> list[classifier.Classifier]:
    """Return the outer layer of the same languages, those beside it, or the packaged ones."""
    if settings.for_languages:
        of_same_languages = folder.with_name(folder.name.replace("inner", "outer", 1))
        if not of_same_languages.is_dir():
            message = f"{of_same_languages} is missing: train it first, with --layer outer"
            raise TrainingError(message)
        return [classifier.load_classifier(of_same_languages, precision=precision, device=device)]
    beside = folder.parent if any(folder.parent.glob("outer_*")) else None
    found = catalogue.load_classifiers(
        str(beside) if beside else catalogue.PACKAGED,
        layers=["outer"],
        document_types=settings.document_types,
        precision=precision,
        device=device,
    )
    return [each for each in found if not catalogue.is_for_languages(each.folder)]


def _accepted_examples(
    examples: pa.Table, outer: Sequence[classifier.Classifier], console: Console
) -> pa.Table:
    """Return the examples that the outer layer of their document type accepts."""
    names = " and ".join(
        f"the packaged {Path(each.folder).name}"
        if Path(each.folder).parent == PACKAGED_FOLDER
        else each.folder
        for each in outer
    )
    console.print(
        f"Checking which of {examples.num_rows:,} examples {names} accepts…",
        soft_wrap=True,
        highlight=False,
    )
    return inner_examples(examples, outer)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int, dict[str, float]], None]]:
    """Yield a function that shows the steps done and the last validation."""
    with shown("Training", unit="steps") as progress:

        def report(step: int, steps: int, last: dict[str, float]) -> None:
            score = f"average precision {last['average_precision']:.3f}" if last else ""
            progress.update(step, total=steps, note=score)

        yield report


def _show(trained: Training, console: Console) -> None:
    """Print how well the validation examples are classified, and how to use the classifier."""
    for point, measured in trained.description["validation"].items():
        told = ", ".join(
            f"{name.replace('_', ' ')} {value:.4g}" for name, value in measured.items()
        )
        console.print(f"validation, {point}: {told}", soft_wrap=True, highlight=False)
    languages = trained.description["languages"]
    if trained.description["validation_by_language"] and not languages:
        console.print(
            f"No language reached F1 {LANGUAGE_FLOOR} on {FEWEST_TO_JUDGE_A_LANGUAGE} "
            "validation examples, so documents with a known language will be refused. Add labels "
            "or check yours.",
            style="yellow",
        )
    else:
        console.print(f"languages accepted: {', '.join(languages) or 'unknown'}")
    variables = shlex.quote(f"{{classifiers: {trained.folder.parent}}}")
    console.print(
        f"Written to {trained.folder}. Use it with --vars {variables}.",
        soft_wrap=True,
        highlight=False,
    )
