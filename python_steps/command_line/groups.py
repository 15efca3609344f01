"""Groups of commands, each imported when it is used: help must not wait for all of them."""

import importlib
from collections.abc import Mapping

import click


class CommandGroup(click.Group):
    """A group whose commands are modules of a package.

    The module ``<package>.<name>`` holds ``<name>_command``.

    Parameters
    ----------
    package
        Where the modules are.
    summaries
        What the group's help says of each command, by name.
    """

    def __init__(
        self, *arguments: object, package: str, summaries: Mapping[str, str], **named: object
    ) -> None:
        super().__init__(*arguments, **named)
        self.package = package
        self.summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return sorted(self.summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.summaries:
            return None
        module = importlib.import_module(f"{self.package}.{cmd_name}")
        return getattr(module, f"{cmd_name}_command")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a line for each command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.summaries[name]) for name in self.list_commands(ctx)])
