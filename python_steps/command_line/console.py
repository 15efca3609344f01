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
