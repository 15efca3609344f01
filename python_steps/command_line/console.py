"""Where and how commands print."""

import json
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from python_steps.errors import BELOW_FLOOR

MOST_WIDTH_OF_A_CELL = 60
LINES_OF_A_VALUE = 2  # of a record

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console


def program_name() -> str:
    """Return what to type for this program: its name, or its path if it is not on PATH."""
    name = "deepinnovation"
    beside_python = Path(sys.executable).with_name(name)
    if shutil.which(name) or not beside_python.exists():
        return name
    return shlex.quote(near_path(beside_python))


def size_in_words(size: float) -> str:
    """Return a number of bytes with a unit."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def near_path(path: Path | str) -> str:
    """Return a path that works in the current folder: relative where that is shorter."""
    if isinstance(path, str):  # an address
        return path
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


def output_console() -> "Console":
    """Return a console on the standard output."""
    from rich.console import Console

    class SteadyConsole(Console):
        """A console that survives a closed pipe, as after `| head`, so that a build continues."""

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
    from rich.table import Column, Table

    table = Table(*(Column(name, overflow="fold") for name in columns))
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    output_console().print(table, markup=False)


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bool:
    """Print rows as a table, or as one record after another where a table is too wide.

    Returns
    -------
    bool
        Whether a long value was cut.
    """
    from rich.text import Text

    console = output_console()
    texts = [
        ["" if value is None else " ".join(str(value).split()) for value in row] for row in rows
    ]
    widths = [
        max([len(name), *(min(len(row[place]), MOST_WIDTH_OF_A_CELL) for row in texts)])
        for place, name in enumerate(columns)
    ]
    if not texts or sum(widths) + 3 * len(columns) + 1 <= console.width:
        print_table(columns, texts)
        return False
    margin = max(map(len, columns)) + 2
    room = max(console.width - margin, 20)
    is_cut = False
    for number, row in enumerate(texts, 1):
        console.print(Text(f"row {number}", style="bold"))
        for name, text in zip(columns, row, strict=True):
            lines = textwrap.wrap(text, room) or [""]
            if len(lines) > LINES_OF_A_VALUE:
                is_cut = True
                lines = textwrap.wrap(text, room, max_lines=LINES_OF_A_VALUE, placeholder=" …")
            indented = f"\n{' ' * margin}".join(lines)
            console.print(Text(f"{name:<{margin}}{indented}"), soft_wrap=True)
    return is_cut


def pour(table: "pa.Table", form: str) -> None:
    """Write all rows to the standard output, as ``csv`` or ``json`` (one object per line)."""
    import pyarrow.csv

    stream = click.get_binary_stream("stdout")
    if form == "csv":
        pyarrow.csv.write_csv(table, stream)
        return
    for row in table.to_pylist():
        stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def conclude(context: click.Context, missed: Sequence[str]) -> None:
    """Print what misses a floor, and exit with 4 if anything does."""
    for sentence in missed:
        click.echo(sentence, err=True)
    if missed:
        context.exit(BELOW_FLOOR)


def error_console() -> "Console":
    """Return a console on the standard error, for when the standard output carries data."""
    from rich.console import Console

    return Console(stderr=True)
