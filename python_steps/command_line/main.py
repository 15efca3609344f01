"""
The command `deepinnovation`.

Imports are kept to the functions that need them: help, and a build with nothing to do, must not
wait for dbt and torch.
"""

import click

from python_steps.command_line.annotate import annotate_command
from python_steps.command_line.build import build_command
from python_steps.command_line.check import check_command
from python_steps.command_line.classify import classify_command
from python_steps.command_line.evaluate.group import evaluate
from python_steps.command_line.match import match_command
from python_steps.command_line.options import write_as_it_stands
from python_steps.command_line.query import query_command
from python_steps.command_line.train import train_command
from python_steps.errors import UNREADABLE, InputError


class Workflow(click.Group):
    """The group of commands: tells a user's mistakes in a sentence, without a traceback."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the docstring."""
        write_as_it_stands(self, formatter)

    def invoke(self, context: click.Context) -> object:
        """Run a command; `--debug` shows the traceback of whatever goes wrong."""
        try:
            return super().invoke(context)
        except Exception as error:
            is_told = isinstance(error, InputError) or hasattr(error, "exit_code")
            is_click = isinstance(error, click.ClickException | click.exceptions.Exit | click.Abort)
            if is_click or context.meta.get("debug") or not is_told:
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

    1. deepinnovation check --papers openalex=FOLDER --patents google_patents=FOLDER
    2. deepinnovation build --papers openalex=FOLDER --patents google_patents=FOLDER
    3. deepinnovation query "select * from papers limit 5"

    Without --papers and --patents the bundled sample is used, as in
    `deepinnovation build`.
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
