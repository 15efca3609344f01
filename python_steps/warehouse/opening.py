"""Open a warehouse to read it, or say why that cannot be done."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from python_steps.building.messages import shortened
from python_steps.errors import InputError
from python_steps.warehouse.places import Tables

if TYPE_CHECKING:
    import duckdb


@contextlib.contextmanager
def opened(
    tables: Tables,
    needs: Sequence[tuple[str, str]] = (),
    remedy: str = "`deepinnovation build`",
) -> Iterator["duckdb.DuckDBPyConnection"]:
    """
    Open a warehouse for reading, and close it at the end of the block.

    Parameters
    ----------
    tables
        The warehouse.
    needs
        Schema and name, in lower case, of the tables that the block reads.
    remedy
        The command that builds them.

    Raises
    ------
    InputError
        When the warehouse cannot be opened, lacks a table or column, or cannot be read. What the
        block itself catches of DuckDB's errors never gets here.
    """
    import duckdb

    place = tables.address or tables.path
    try:
        present = tables.relations()
        missing = [".".join(each) for each in needs if present is not None and each not in present]
        if missing:
            raise InputError(
                f"The warehouse {place} has no {' or '.join(missing)}: build it with {remedy}."
            )
        with tables.connect() as connection:
            yield connection
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise InputError(
            f"The warehouse {place} was built by another version, or not completely "
            f"({str(error).strip().splitlines()[0]}). Build it again with {remedy}."
        ) from error
    except duckdb.Error as error:
        raise InputError(explain_warehouse(str(error), place)) from error


def explain_warehouse(message: str, warehouse: Path | str) -> str:
    """Say in words why a warehouse cannot be opened."""
    holder = re.search(r"\(PID (\d+)\)", message)
    if "lock on file" in message or "Another instance of Derby" in message:
        who = f"process {holder[1]}" if holder else "another program"
        return (
            f"{warehouse} is open in {who}. Close it there and try again: while a program writes "
            "to a warehouse, no other can open it."
        )
    if "not a valid DuckDB database" in message or "version number" in message:
        return (
            f"{warehouse} is not a warehouse that this DuckDB can read. Build into another file "
            "with --warehouse, or remove it."
        )
    return f"{warehouse} cannot be opened: {shortened(message, 1)[0]}"
