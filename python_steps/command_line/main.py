"""
The command `deepinnovation`.

Modules of commands import what they need inside functions: help, and a build with nothing to do,
must not wait for dbt, torch or pyarrow.
"""

import click

from python_steps.command_line.annotate import annotate_command
from python_steps.command_line.build import build_command
from python_steps.command_line.check import check_command
from python_steps.command_line.classify import classify_command
from python_steps.command_line.evaluate.group import evaluate
from python_steps.command_line.match import match_command
from python_steps.command_line.query import query_command
from python_steps.command_line.train import train_command
from python_steps.errors import UNREADABLE, InputError


class Workflow(click.Group):
    """The group of commands; prints a user's mistakes as one sentence, without a traceback."""

    def invoke(self, context: click.Context) -> object:
        """Run a command; with `--debug` every error shows its traceback."""
        try:
            return super().invoke(context)
        except Exception as error:
            has_message = isinstance(error, InputError) or hasattr(error, "exit_code")
            is_click = isinstance(error, click.ClickException | click.exceptions.Exit | click.Abort)
            if is_click or context.meta.get("debug") or not has_message:
                raise
            click.echo(f"Error: {error}", err=True)
            context.exit(getattr(error, "exit_code", UNREADABLE))


@click.group(cls=Workflow, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    package_name="deepinnovation",
    prog_name="deepinnovation",
    message="%(prog)s %(version)s",
)
def main() -> None:
    """Build, check and query a dataset of AI papers, AI patents and their links.

    \b
    1. deepinnovation check --papers openalex=FOLDER --patents google_patents=FOLDER
    2. deepinnovation build --papers openalex=FOLDER --patents google_patents=FOLDER
    3. deepinnovation query "select * from papers limit 5"

    Without --papers and --patents the bundled sample is used.

    \b
    For example:
      deepinnovation build
      deepinnovation query "select title, year from papers"
    """


for command in (
    annotate_command,
    build_command,
    check_command,
    classify_command,
    evaluate,
    match_command,
    query_command,
    train_command,
):
    main.add_command(command)
