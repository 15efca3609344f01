"""`deepinnovation check`: preview what a build would read and reject."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from python_steps.command_line.console import output_console, size_in_words
from python_steps.command_line.options import (
    Delivered,
    chosen_warehouse,
    debug_option,
    project_folder,
    source_options,
    warehouse_option,
)
from python_steps.command_line.warnings import show_warnings
from python_steps.errors import InputError
from python_steps.sources.archives import unpack
from python_steps.sources.locations import is_sample, sample
from python_steps.sources.preview import Head

if TYPE_CHECKING:
    from rich.console import Console


# Measured on the bundled sample (257 records of 4 kB: 16 MB) and on 2,155 works of 15 kB (30 MB):
# bytes of an empty warehouse, for each record, and for each byte of a record as JSON text.
WAREHOUSE_BYTES = 15_000_000
WAREHOUSE_BYTES_PER_RECORD = 4000
WAREHOUSE_BYTES_PER_BYTE = 0.4


def show_heads(heads: Iterable[Head], warehouse: Path | str, console: "Console") -> None:
    """Print what a build would read, on about one screen."""
    needed = float(WAREHOUSE_BYTES)
    for head in heads:
        show_head(head, console)
        needed += head.rows * (
            WAREHOUSE_BYTES_PER_RECORD + WAREHOUSE_BYTES_PER_BYTE * head.bytes_of_record
        )
    if isinstance(warehouse, str):
        console.print(
            f"The warehouse will take very roughly {size_in_words(needed)}.", highlight=False
        )
        return
    folder = next(parent for parent in warehouse.parents if parent.exists())
    free = shutil.disk_usage(folder).free
    console.print(
        f"The warehouse will take very roughly {size_in_words(needed)}; "
        f"{folder} has {size_in_words(free)} free.",
        highlight=False,
        soft_wrap=True,
    )
    if needed > free:
        console.print(
            "[yellow]Not enough space:[/] name a place on a larger disk with --warehouse."
        )


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
        ("[red]Missing:[/]", [f"{name}, which is required." for name in head.missing]),
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
        ("files", f"{formats}, {size_in_words(head.size)}"),
        ("records", f"{about}{head.rows:,}, {read} of them checked"),
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
        ("not read", ", ".join(head.unread)),
        ("optional, missing", ", ".join(head.absent) or "none"),
        ("would be rejected", refused or "none"),
        ("with an abstract", _share(head.abstracts, head.rows_read)),
        ("years", "none" if head.years is None else f"{head.years[0]} to {head.years[1]}"),
        ("languages", languages or "unknown"),
        ("share filled", _filled(head)),
    ]
    has_all = head.source.delivery.holds_documents
    facts = [fact for fact in facts if fact[1]]
    return [fact for fact in facts if has_all or fact[0] in FACTS_OF_OTHER_TABLES]


def _filled(head: Head) -> str:
    """Return the fields with the share of accepted records that have a value in them."""
    shares = sorted(head.counted.filled.items(), key=lambda pair: (-pair[1], pair[0]))
    accepted = head.rows_read - sum(head.rejected.values())
    filled = [f"{n} {_share(round(s * accepted), accepted)}" for n, s in shares if s and accepted]
    never = [name for name, share in shares if not share]
    return ", ".join(filled) + (f"; never: {', '.join(never)}" if never else "")


FACTS_OF_OTHER_TABLES = ("fields", "not read", "optional, missing", "would be rejected")


def _share(count: int, of: int) -> str:
    """Return a percentage that is 0 only for none and 100 only for all."""
    share = 100 * count / of
    if 0 < share < 0.1:
        return "<0.1%"
    return ">99.9%" if 99.9 < share < 100 else f"{share:.3g}%"


@click.command()
@source_options
@warehouse_option
@debug_option
def check_command(delivered: Delivered, warehouse: str | None) -> None:
    """Preview what a build would read and reject, without building.

    Shows the files, formats, records and fields of every source, what would be
    rejected and why, languages and years, how many records have a value in each
    field, what is implausible, and roughly how much disk space a build needs.
    Small sources are read in full, of large ones the first records. Locations on
    other storage (s3a://…, hdfs://…) are skipped; `build --target spark` reads
    them.

    Exit codes: 2 an option is wrong, 3 something cannot be read, a required field
    is missing, every record would be rejected, or no pair or decision is possible.

    \b
    For example:
      deepinnovation check
      deepinnovation check --papers openalex=~/works \\
          --patents google_patents=~/patents
    """
    from python_steps.building.project_sql import StagingSql
    from python_steps.building.settings import project_variables
    from python_steps.sources.plausibility import ERROR, warnings
    from python_steps.sources.preview import read_head

    project = project_folder()
    place = chosen_warehouse(warehouse)
    console = output_console()
    sources = delivered.sources(takes_addresses=True)
    if is_sample(sources):
        named = {source.entity for source in sources}
        sources += [source for source in sample(project) if source.entity not in named]
    for source in sources:
        for address in source.elsewhere:
            console.print(
                f"Skipped: {address} ({source.name}) is on other storage.",
                highlight=False,
                soft_wrap=True,
            )
    here = [source.here for source in sources if source.here.locations]
    with tempfile.TemporaryDirectory(prefix="deepinnovation") as folder:
        heads = [read_head(unpack(source, Path(folder)), project) for source in here]
    show_heads(heads, place, console)
    sql = StagingSql(project, project_variables(project))
    warned = warnings(sql, [head.counted for head in heads])
    show_warnings(warned, console)
    bad = [head.source.name for head in heads if not head.is_readable]
    if bad:
        raise InputError(
            f"A build would fail on {', '.join(bad)}, or read nothing from there: see the lines in "
            "red. Fix or leave out what they name."
        )
    # Whether too much is rejected, a build says of all records and not of the first.
    if any(one.severity == ERROR and one.warning != "many_rejected" for one in warned):
        raise InputError("A build would publish nothing: see the lines in red.")
