"""What a warehouse tells of its delivery: warnings, and what was rejected."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from python_steps.errors import InputError
from python_steps.sources.plausibility import Warned
from python_steps.warehouse.places import Tables


@dataclass(frozen=True)
class Rejection:
    """Records that were rejected for one reason.

    Attributes
    ----------
    entity
        paper, patent, label, link or code.
    """

    entity: str
    reason: str
    records: int
    is_by_design: bool
    remedy: str


def delivery_warnings(tables: Tables) -> list[Warned]:
    """Return the rows of marts.delivery_warnings, the gravest first; none without such a table."""
    rows = _rows(
        tables, "select warning, severity, message from marts.delivery_warnings order by place"
    )
    return [Warned(*row) for row in rows]


def rejections(tables: Tables) -> list[Rejection]:
    """Return what was rejected of all sources, by entity and the largest number first."""
    rows = _rows(
        tables,
        "select entity, reason, sum(records)::bigint, bool_and(is_by_design), min(remedy) "
        "from marts.rejection_counts group by entity, reason order by entity, 3 desc, reason",
    )
    return [Rejection(*row) for row in rows]


def _rows(tables: Tables, sql: str) -> Sequence[tuple[Any, ...]]:
    """Return the rows of a query; none where a table is not there, or not to be read from here."""
    import duckdb

    try:
        with tables.connect() as connection:
            return connection.execute(sql).fetchall()
    except (duckdb.CatalogException, InputError):
        return []
