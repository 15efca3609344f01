"""`deepinnovation evaluate`, the group of commands that measure results."""

import importlib

import click

NAMES = ("classifier", "linking", "matching", "novelty")


class Evaluations(click.Group):
    """A group that imports a command when it is used: `deepinnovation --help` must not wait."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in NAMES:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(f"python_steps.command_line.evaluate.{cmd_name}")
        return getattr(module, f"{cmd_name}_command")


@click.group(cls=Evaluations)
def evaluate() -> None:
    """Measure results against documents whose answer is known.

    \b
    For example:
      deepinnovation evaluate classifier
      deepinnovation evaluate novelty
      deepinnovation evaluate matching
      deepinnovation evaluate linking --links pairs.csv
      deepinnovation evaluate novelty --help
    """
