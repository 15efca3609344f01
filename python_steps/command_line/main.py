"""
The command `deepinnovation`.

Modules of commands are imported when they are used, and import what they need inside functions:
help, and a build with nothing to do, must not wait for dbt, torch or pyarrow.
"""

import click

from python_steps.command_line.groups import CommandGroup
from python_steps.errors import UNREADABLE, InputError


class Workflow(CommandGroup):
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


SUMMARIES = {
    "annotate": "Have a language model label documents for training.",
    "build": "Build the warehouse and the published files.",
    "check": "Preview what a build would read and reject, without building.",
    "classify": "Decide which papers or patents of a table are about AI.",
    "evaluate": "Measure results against documents whose answer is known.",
    "match": "Find the documents nearest to a document or a text.",
    "query": "Run one SQL query on the warehouse, read-only.",
    "train": "Train a layer of the classifier on the labels of a warehouse.",
}


@click.group(
    cls=Workflow,
    package="python_steps.command_line",
    summaries=SUMMARIES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
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
