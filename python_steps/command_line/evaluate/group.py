"""`deepinnovation evaluate`, the group of commands that measure results."""

import click

from python_steps.command_line.evaluate.classifier import classifier_command
from python_steps.command_line.evaluate.linking import linking_command
from python_steps.command_line.evaluate.matching import matching_command
from python_steps.command_line.evaluate.novelty import novelty_command
from python_steps.command_line.options import DocumentedGroup


@click.group(cls=DocumentedGroup)
def evaluate() -> None:
    """Judge what the steps decide, by documents of which the answer is known.

    For example:
      deepinnovation evaluate classifier
      deepinnovation evaluate novelty
      deepinnovation evaluate matching
      deepinnovation evaluate linking --links pairs.csv
      deepinnovation evaluate novelty --help
    """


for command in (classifier_command, linking_command, matching_command, novelty_command):
    evaluate.add_command(command)
