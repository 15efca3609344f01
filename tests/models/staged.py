"""Rows of staging models as plain values, the same from either engine."""

import json
from typing import Any

from tests.small_warehouse import SmallWarehouse


def staged(warehouse: SmallWarehouse, model: str, *columns: str) -> dict[tuple[str, int], dict]:
    """Return columns of a staging model, by file name and place of a record in it, from 1."""
    quoted = "struct_pack({})" if warehouse.duckdb else "named_struct({})"
    fields = ", ".join(
        f"{name} := {name}" if warehouse.duckdb else f"'{name}', {name}" for name in columns
    )
    text = warehouse.sql._call("to_json_text", quoted.format(fields))
    rows = warehouse.rows(
        f"select record_file, {text} from {{{model}}} order by record_file, record_row"
    )
    found: dict[tuple[str, int], dict] = {}
    for file, values in rows:
        name = file.rpartition("/")[2]
        place = 1 + sum(1 for other, _ in found if other == name)
        found[name, place] = json.loads(values)
    return found


def names(elements: list[dict] | None, field: str) -> list[Any] | None:
    """Return a field of each element of a staged list."""
    return None if elements is None else [element[field] for element in elements]
