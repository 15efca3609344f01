"""Where and how commands print."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from python_steps.errors import BELOW_FLOOR

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console


def program_name() -> str:
    """Return what to type for this program: its name, or its path where the shell finds no such."""
    name = "deepinnovation"
    beside_python = Path(sys.executable).with_name(name)
    return near_path(beside_python) if beside_python.exists() and not shutil.which(name) else name


def size_in_words(size: float) -> str:
    """Return a number of bytes as a reader says it."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def near_path(path: Path | str) -> str:
    """Return a path as it can be typed here: relative where that is shorter."""
    if isinstance(path, str):  # an address
        return path
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


def output_console() -> "Console":
    """Return a console on the standard output."""
    from rich.console import Console

    class SteadyConsole(Console):
        """A console that lets a build go on when nobody reads any more, as after `| head`."""

        def on_broken_pipe(self) -> None:
            """Fall silent; rich would end the program."""
            self.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    # Files and pipes have no width of their own.
    return SteadyConsole(width=None if sys.stdout.isatty() else 120)


class BuildReporter:
    """Prints what a build reports: a line for each node, and on a terminal the one that runs."""

    def __init__(self, console: "Console") -> None:
        self._console = console

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self._clear()
        self._console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def running(self, node: str) -> None:
        """Name the running node on a line that the next one replaces."""
        if self._console.is_terminal:
            self._clear()
            self._console.print(f"[dim]… {node}[/]", end="\r", highlight=False)

    def finished(self, node: str, place: str, rows: int | None, seconds: float) -> None:
        """Print the name, rows and seconds of a relation."""
        counted = "" if rows is None else f"{rows:,} {'row' if rows == 1 else 'rows'}"
        place = f"{place:>7} " if place else ""
        self._print(f"[green]✓[/] {place}{node:<52} {counted:>16} [dim]{seconds:7.1f} s[/]")

    def tests_passed(self, count: int, seconds: float) -> None:
        """Print how many tests passed."""
        passed = f"{count} tests passed" if count > 1 else "1 test passed"
        self._print(f"[dim]  {passed}, {seconds:.1f} s[/]")

    def failed(self, node: str) -> None:
        """Print the name of a node that failed."""
        self._print(f"[red]✗ {node}[/]")

    def explain(self, failures: Sequence[tuple[str, Sequence[str]]], advice: Sequence[str]) -> None:
        """Print why nodes failed, and what to do."""
        self._console.print()
        for kind, lines in failures:
            self._console.print(f"[red]{kind}:[/]", end=" ")
            text = "\n  ".join(lines)
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)
        for sentence in advice:
            self.say(sentence)

    def close(self) -> None:
        """Remove the line of the running node."""
        self._clear()

    def _print(self, line: str) -> None:
        self._clear()
        self._console.print(line, highlight=False, soft_wrap=True)

    def _clear(self) -> None:
        if self._console.is_terminal:
            self._console.file.write("\r\x1b[2K")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as a table on the standard output."""
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    output_console().print(table, markup=False)


def pour(table: "pa.Table", form: str) -> None:
    """Write all rows to the standard output, as ``csv`` or as ``json``, one object a line."""
    import pyarrow.csv

    stream = click.get_binary_stream("stdout")
    if form == "csv":
        pyarrow.csv.write_csv(table, stream)
        return
    for row in table.to_pylist():
        stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def conclude(context: click.Context, missed: Sequence[str]) -> None:
    """Tell what misses a floor, and exit with 4 if anything does."""
    for sentence in missed:
        click.echo(sentence, err=True)
    if missed:
        context.exit(BELOW_FLOOR)


def error_console() -> "Console":
    """Return a console on the standard error, where the standard output holds data."""
    from rich.console import Console

    return Console(stderr=True)
