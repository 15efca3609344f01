"""`deepinnovation train`: train a classifier on labels of a warehouse, or cross-validate it."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from python_steps.command_line.console import output_console
from python_steps.command_line.options import (
    chosen_warehouse,
    debug_option,
    require,
    results_folder,
    warehouse_option,
)
from python_steps.warehouse.places import Tables, tables_at


@click.command()
@warehouse_option
@click.option(
    "--layer",
    type=click.Choice(["outer", "inner", "filter"]),
    help="Layer to train, or the word filter before them; needed without --folds, which trains "
    "both layers.",
)
@click.option(
    "--document-type",
    type=click.Choice(["paper", "patent", "both"]),
    required=True,
    help="Documents that the classifier is for.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of your classifiers; each is written to a folder inside it.  [default: "
    "classifiers beside the default warehouse]. With --folds needed: where folds and figures go.",
)
@click.option(
    "--source", "sources", multiple=True, help="Learn from this source only (repeatable)."
)
@click.option(
    "--label-source",
    "label_sources",
    multiple=True,
    help="Learn from labels of sources that begin so only, as llm_is_ai_1 (repeatable).",
)
@click.option(
    "--language",
    "languages",
    multiple=True,
    help="Learn from texts in this language only (repeatable), or `all`.  [default: en; with "
    "--folds all]",
)
@click.option(
    "--for-language",
    "for_languages",
    multiple=True,
    help="The classifier is for texts in this language (repeatable): they alone set its thresholds "
    "and judge it, while examples in every --language teach it.",
)
@click.option(
    "--most-per-source", type=click.IntRange(min=1), help="Maximum number of examples per source."
)
@click.option(
    "--start-from",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Start from this classifier; with --folds the outer layer does.  [default: an inner layer "
    "starts from its outer layer]",
)
@click.option(
    "--base-model",
    default="all-MiniLM-L6-v2",
    show_default=True,
    help="BERT to start from, by name or folder; multilingual-e5-small for other languages.",
)
@click.option(
    "--method",
    type=click.Choice(["adapters", "full", "head"]),
    default="adapters",
    show_default=True,
    help="Train low-rank adapters (small files), all weights of the trained layers, or only a head "
    "on the encoder that --start-from names, or else on the base model: in seconds, for a few "
    "thousand careful labels.",
)
@click.option("--adapter-rank", type=click.IntRange(min=1), default=8, show_default=True)
@click.option(
    "--trained-layers",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Number of upper layers to train; 0: all.",
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
    help="Weight of a second task, predicting the categories of papers and subclasses of patents; "
    "try .2 if labels follow from categories.",
)
@click.option("--maximum-tokens", type=click.IntRange(min=8), default=256, show_default=True)
@click.option(
    "--recall",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of AI documents that the outer layer must keep, or the inner one at its operating "
    "point `inclusive` (with --folds: the outer one); with --layer filter share of what both "
    "layers accept.  [default: .98 outer, .95 inner, .9985 filter]",
)
@click.option(
    "--precision", type=click.Choice(["auto", "f32", "bf16"]), default="auto", show_default=True
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True
)
@click.option("--seed", type=click.IntRange(min=0), default=42, show_default=True)
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    help="Cross-validate both layers with this many folds instead of training a classifier.",
)
@debug_option
@click.pass_context
def train_command(
    context: click.Context,
    warehouse: str | None,
    layer: str | None,
    document_type: str,
    output: Path | None,
    folds: int | None,
    **options: Any,  # noqa: ANN401
) -> None:
    """Train a layer of the classifier on the labels of a warehouse.

    Learns from the split `train` of classifier_examples; stops, calibrates and
    chooses the threshold on `validation`. The split `test` is left for
    `deepinnovation evaluate classifier`. Train the outer layer first: the inner
    one learns from what it accepts. A training that was stopped continues where it
    left off. The output folder holds the weights as safetensors, a calibration,
    and a card that describes the training.

    With --layer filter, a word filter learns what both layers decided of the
    documents in filter_examples: only --source, --language, --most-per-source and
    --recall apply.

    With --folds, both layers are trained on all labels but those of one fold,
    once per fold, and evaluated on that fold. Figures, plots and the judgement of
    every document are written to --output; finished folds are reused.

    Exit codes: 2 an option is wrong or peft is not installed, 3 the warehouse
    cannot be read or holds too few examples.

    \b
    For example:
      deepinnovation build --papers tables=papers.parquet --labels labels.csv \\
          --select +classifier_examples
      deepinnovation train --layer outer --document-type paper --output mine
      deepinnovation train --layer inner --document-type paper --output mine
      deepinnovation build --papers tables=papers.parquet --vars '{classifiers: mine}'
      deepinnovation build --papers tables=raw.parquet --select +filter_examples
      deepinnovation train --layer filter --document-type paper --output mine
      deepinnovation train --folds 5 --document-type paper --output folds
    """
    if folds is None and layer is None:
        raise click.UsageError("--layer outer, inner or filter is missing (or use --folds).")
    if folds is not None and layer is not None:
        raise click.UsageError("--folds trains both layers: leave out --layer.")
    if folds is not None and output is None:
        raise click.UsageError("--folds needs --output FOLDER, where finished folds are kept.")
    if folds is not None and options["for_languages"]:
        raise click.UsageError("--for-language cannot be used with --folds.")
    if folds is not None and options["most_per_source"] is not None:
        raise click.UsageError("--most-per-source cannot be used with --folds.")
    if layer == "filter":
        from python_steps.command_line.word_filter import refuse_other_options

        refuse_other_options(context)
    else:
        require("This command", "train", "peft")
    types = ("paper", "patent") if document_type == "both" else (document_type,)
    tables = tables_at(chosen_warehouse(warehouse), os.environ)
    output = (output or results_folder() / "classifiers").expanduser().resolve()
    if layer == "filter":
        _train_filter(tables, document_type, output, **options)
    elif folds is None:
        _train(tables, layer, types, output, **options)
    else:
        require("--folds", "evaluate", "matplotlib")
        _cross_validate(tables, types, output, folds, **options)


def _train_filter(
    tables: Tables,
    document_type: str,
    output: Path,
    *,
    sources: tuple[str, ...],
    languages: tuple[str, ...],
    most_per_source: int | None,
    recall: float | None,
    **_: Any,  # noqa: ANN401
) -> None:
    """Teach a word filter."""
    from python_steps.command_line.word_filter import train_and_report

    train_and_report(
        tables,
        document_type,
        output,
        sources=sources,
        languages=languages,
        most_per_source=most_per_source,
        recall=recall,
        command=f"deepinnovation {shlex.join(sys.argv[1:])}",
        console=output_console(),
    )


def _train(
    tables: Tables,
    layer: str,
    types: tuple[str, ...],
    output: Path,
    *,
    sources: tuple[str, ...],
    label_sources: tuple[str, ...],
    languages: tuple[str, ...],
    most_per_source: int | None,
    start_from: Path | None,
    precision: str,
    device: str,
    **settings: Any,  # noqa: ANN401
) -> None:
    """Train one layer."""
    from python_steps.ai_decision.training.settings import Settings
    from python_steps.command_line.training import train_and_report
    from python_steps.warehouse.examples import read_examples

    languages = languages or ("en",)
    examples = read_examples(
        tables,
        layer=layer,
        document_types=types,
        sources=sources,
        label_sources=label_sources,
        languages=() if "all" in languages else languages,
        most_per_source=most_per_source,
    )
    kind = "both" if len(types) == 2 else types[0]
    train_and_report(
        examples,
        output / "_".join([layer, kind, *settings["for_languages"]]),
        Settings(layer=layer, document_types=types, **settings),
        start_from=start_from,
        precision=precision,
        device=device,
        command=f"deepinnovation {shlex.join(sys.argv[1:])}",
        console=output_console(),
    )


def _cross_validate(
    tables: Tables,
    types: tuple[str, ...],
    output: Path,
    folds: int,
    *,
    sources: tuple[str, ...],
    label_sources: tuple[str, ...],
    languages: tuple[str, ...],
    most_per_source: None,
    start_from: Path | None,
    precision: str,
    device: str,
    **settings: Any,  # noqa: ANN401
) -> None:
    """Train and evaluate both layers by folds."""
    from python_steps.ai_decision.evaluation import report
    from python_steps.ai_decision.training.settings import Settings
    from python_steps.command_line import cross_validation
    from python_steps.command_line.evaluate.classifier import show

    asked = cross_validation.CrossValidation(
        folds=folds,
        settings=Settings(layer="outer", document_types=types, **settings),
        sources=sources,
        label_sources=label_sources,
        languages=() if "all" in languages else languages,
        start_from=start_from and start_from.resolve(),
        precision=precision,
        device=device,
    )
    console = output_console()
    measured, predictions = cross_validation.cross_validate(tables, types, asked, output, console)
    show(measured, ["all"], console)
    for path in report.write(measured, predictions, output):
        console.print(f"Written: {path}", highlight=False, soft_wrap=True)
