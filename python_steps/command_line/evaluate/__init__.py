"""`deepinnovation evaluate`, the group of commands that measure results."""

import click

from python_steps.command_line.groups import CommandGroup

SUMMARIES = {
    "classifier": "Evaluate the classifier and its baselines on labelled documents.",
    "linking": "Measure how often the right patent of a paper is found.",
    "matching": "Measure how well the matches agree with an exhaustive search.",
    "novelty": "Check that novelty scores separate real documents from made-up ones.",
}


@click.group(cls=CommandGroup, package=__name__, summaries=SUMMARIES)
def evaluate_command() -> None:
    """Measure results against documents whose answer is known.

    \b
    For example:
      deepinnovation evaluate classifier
      deepinnovation evaluate novelty
      deepinnovation evaluate matching
      deepinnovation evaluate linking --links pairs.csv
      deepinnovation evaluate novelty --help
    """
