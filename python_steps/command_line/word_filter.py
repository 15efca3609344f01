"""What `deepinnovation train --layer filter` does: teach a word filter, and print the result."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from python_steps.ai_decision.training import word_filter
from python_steps.warehouse.filter_examples import read_filter_examples

if TYPE_CHECKING:
    from rich.console import Console

    from python_steps.warehouse.places import Tables

# All other options are about networks and labels.
OPTIONS = {
    *("warehouse", "layer", "document_type", "output", "recall", "debug"),
    *("sources", "languages", "most_per_source"),
}


def refuse_other_options(context: click.Context) -> None:
    """
    Refuse options that a word filter does not have.

    Raises
    ------
    click.UsageError
        When one was given, or both types of documents are asked for.
    """
    for parameter in context.command.params:
        is_given = context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
        if is_given and parameter.name not in OPTIONS:
            message = f"{parameter.opts[0]} cannot be used with --layer filter."
            raise click.UsageError(message)
    if context.params["document_type"] == "both":
        message = "A word filter is for papers or for patents: train two."
        raise click.UsageError(message)


def train_and_report(
    tables: Tables,
    document_type: str,
    output: Path,
    *,
    sources: tuple[str, ...],
    languages: tuple[str, ...],
    most_per_source: int | None,
    recall: float | None,
    command: str,
    console: Console,
) -> None:
    """
    Train a filter on what the layers decided, and print what it does to the split `test`.

    Raises
    ------
    InputError
        When the warehouse cannot be read.
    TrainingError
        When there are too few documents.
    """
    examples = read_filter_examples(
        tables,
        document_type=document_type,
        sources=sources,
        languages=() if "all" in languages else languages or ("en",),
        most_per_source=most_per_source,
    )
    console.print(f"Learning from {examples.num_rows:,} {document_type}s…", highlight=False)
    folder = output / f"filter_{document_type}"
    asked = word_filter.RECALL if recall is None else recall
    description = word_filter.train(examples, folder, recall=asked, command=command)
    for row in description["test"]:
        console.print(
            f"test, {row['source'] or 'all sources'}: refuses {row['refused']:,} of "
            f"{row['documents']:,}, keeps {row['kept']:,} of {row['accepted_by_both_layers']:,} "
            "that both layers accept",
            soft_wrap=True,
            highlight=False,
        )
    variables = shlex.quote(f"{{word_filter: true, classifiers: {output}}}")
    console.print(
        f"Written to {folder}. Use it with --vars {variables}.", soft_wrap=True, highlight=False
    )
