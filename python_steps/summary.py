"""What the command line shows: the result of a build, and the heads of sources."""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from python_steps.build import Outcome, Settings
from python_steps.heads import Head
from python_steps.sources import BESIDES
from python_steps.warehouse import DEFAULT_NAME

if TYPE_CHECKING:
    from rich.console import Console

# Measured on the bundled sample (257 records of 4 kB: 16 MB) and on 2,155 works of 15 kB (30 MB):
# bytes of an empty warehouse, for each record, and for each byte of a record as JSON text.
WAREHOUSE_BYTES = 15_000_000
WAREHOUSE_BYTES_PER_RECORD = 4000
WAREHOUSE_BYTES_PER_BYTE = 0.4


def show_build(settings: Settings, outcome: Outcome, console: "Console") -> None:
    """Print what a finished build holds, where it is, and what to type next."""
    from rich.table import Table

    if outcome.unchanged_since:
        console.print(f"Nothing changed since {outcome.unchanged_since}: nothing was run.")
    for warning in outcome.warnings:
        console.print(f"[yellow]Warning:[/] {warning}", highlight=False)
    measures = _measures(settings)
    if measures:
        table = Table("measure", title="The warehouse", title_justify="left")
        table.add_column("value", justify="right")
        for measure, value in measures:
            table.add_row(measure, value)
        console.print(table)
    files = Table("file", title="Files", title_justify="left")
    files.add_column("size", justify="right")
    made = sorted(f for f in settings.publication.glob("*") if f.suffix in (".csv", ".parquet"))
    size = settings.tables.size()
    place = settings.tables.address or _near(settings.warehouse)
    files.add_row(place, "not known" if size is None else in_words(size))
    for file in (*made, outcome.log):
        if file.exists():
            files.add_row(_near(file), in_words(file.stat().st_size))
    console.print(files)
    _show_next(settings, console)


def _show_next(settings: Settings, console: "Console") -> None:
    """Print what to type next, with the options without which it would be about another place."""
    named = f" --warehouse {_near(settings.warehouse)}"
    option = "" if settings.warehouse == settings.project / DEFAULT_NAME["duckdb"] else named
    elsewhere = "" if settings.target == "duckdb" else f" --target {settings.target}"
    if settings.warehouse != settings.project / DEFAULT_NAME[settings.target]:
        elsewhere += named
    folder = settings.publication
    if folder != settings.project / "publication":
        elsewhere += f" --publication {_near(folder)}"
    console.print("Next:")
    program = _program()
    asking = "select title, publication_year from papers"
    query = f'{program} query "{asking}"{option}'
    if settings.tables.address:
        query = f'spark-sql -e "{asking.replace("papers", "marts.papers")}"'
    for command, purpose in (
        (query, "ask it"),
        ("make docs", "what every table and column means"),
        (
            f"{program} build --papers openalex=FOLDER --patents google_patents=FOLDER{elsewhere}",
            "the same from your data",
        ),
    ):
        console.print(
            f"  {command}   [dim]# {purpose}[/]", highlight=False, soft_wrap=True, emoji=False
        )


def _program() -> str:
    """Return what to type for this program: its name, or its path where the shell finds no such."""
    name = "deepinnovation"
    beside_python = Path(sys.executable).with_name(name)
    return _near(beside_python) if beside_python.exists() and not shutil.which(name) else name


def _measures(settings: Settings) -> list[tuple[str, str]]:
    """Read marts.build_summary; nothing where the build left none."""
    import duckdb

    if settings.tables.address:
        return []
    with settings.tables.connect() as connection:
        try:
            rows = connection.execute(
                "select measure, value from marts.build_summary order by place"
            ).fetchall()
        except duckdb.CatalogException:
            return []
    return [(measure, _value(measure, value)) for measure, value in rows]


def _value(measure: str, value: float | None) -> str:
    """Return a count with separators, a recall with four decimals."""
    if value is None:
        return "none"
    return f"{value:.4f}" if "recall" in measure else f"{value:,.0f}"


def in_words(size: float) -> str:
    """Return a number of bytes as a reader says it."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _near(path: Path | str) -> str:
    """Return a path as it can be typed here: relative where that is shorter."""
    if isinstance(path, str):  # an address
        return path
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


# ---------------------------------------------------------------- check


def show_heads(heads: Iterable[Head], warehouse: Path | str, console: "Console") -> None:
    """Print what a build would find at its sources, on about one screen."""
    needed = float(WAREHOUSE_BYTES)
    for head in heads:
        show_head(head, console)
        needed += head.rows * (
            WAREHOUSE_BYTES_PER_RECORD + WAREHOUSE_BYTES_PER_BYTE * head.bytes_of_record
        )
    if isinstance(warehouse, str):
        console.print(f"The warehouse will need very roughly {in_words(needed)}.", highlight=False)
        return
    folder = next(parent for parent in warehouse.parents if parent.exists())
    free = shutil.disk_usage(folder).free
    console.print(
        f"The warehouse will need very roughly {in_words(needed)}; "
        f"{folder} has {in_words(free)} free.",
        highlight=False,
        soft_wrap=True,
    )
    if needed > free:
        console.print("[yellow]Too little room:[/] put it on a larger disk with --warehouse.")


def show_head(head: Head, console: "Console") -> None:
    """Print one source."""
    from rich.table import Table

    table = Table(
        show_header=False, title=f"{head.source.name}", title_justify="left", title_style="bold"
    )
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _facts_of_files(head):
        table.add_row(name, value)
    for name, value in _facts_of_records(head) if head.rows_read else ():
        table.add_row(name, value)
    console.print(table)
    # Below the table, so that paths stay whole and can be copied.
    for kind, sentences in (
        ("[red]Missing:[/]", [f"{name}, which every record needs." for name in head.missing]),
        ("[red]Problem:[/]", head.problems),
        ("[dim]Note:[/]", head.listing.notes),
    ):
        for sentence in sentences:
            console.print(kind, end=" ")
            console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    console.print()


def _facts_of_files(head: Head) -> list[tuple[str, str]]:
    formats = ", ".join(f"{count:,} {name}" for name, count in head.formats.most_common())
    about = "" if head.is_exact else "about "
    read = "all" if head.rows_read == head.rows else f"{head.rows_read:,}"
    return [
        ("location", "\n".join(head.source.locations)),
        ("files", f"{formats}, {in_words(head.size)}"),
        ("records", f"{about}{head.rows:,}, {read} of them looked at"),
    ]


def _facts_of_records(head: Head) -> list[tuple[str, str]]:
    refused = ", ".join(
        f"{_share(count, head.rows_read)} {reason.replace('_', ' ')}"
        for reason, count in head.rejected.items()
    )
    most = list(head.languages.items())[:6]
    languages = ", ".join(f"{name} {_share(count, head.rows_read)}" for name, count in most)
    facts = [
        ("fields", ", ".join(sorted(head.fields))),
        ("optional, not there", ", ".join(head.absent) or "none"),
        ("would be rejected", refused or "none"),
        ("with an abstract", _share(head.abstracts, head.rows_read)),
        ("years", "none" if head.years is None else f"{head.years[0]} to {head.years[1]}"),
        ("languages", languages or "not told"),
    ]
    of_no_document = head.source.entity in BESIDES
    return [fact for fact in facts if not of_no_document or fact[0] in FACTS_OF_NO_DOCUMENT]


FACTS_OF_NO_DOCUMENT = ("fields", "optional, not there", "would be rejected")


def _share(count: int, of: int) -> str:
    """Percentage that never says 0 for some or 100 for not quite all."""
    share = 100 * count / of
    if 0 < share < 0.1:
        return "<0.1%"
    return ">99.9%" if 99.9 < share < 100 else f"{share:.3g}%"
