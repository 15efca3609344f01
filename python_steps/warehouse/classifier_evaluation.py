"""Read the evaluation of the classifiers from a warehouse, or cross-validate on its labels."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from python_steps.warehouse.opening import opened
from python_steps.warehouse.places import Tables

PREDICTIONS = "classifier_predictions"
MART = "classifier_evaluation"


def read(
    tables: Tables, document_types: Sequence[str], *, with_predictions: bool
) -> tuple[pa.Table, pa.Table | None]:
    """
    Return the mart, and where asked for the predictions behind it, of types of documents.

    Raises
    ------
    InputError
        When the warehouse cannot be read or was built without them.
    """
    measured = _read(tables, MART, "*", document_types)
    if not with_predictions:
        return measured, None
    columns = "* rename (label_is_ai as is_ai)"
    return measured, _read(tables, PREDICTIONS, columns, document_types)


def _read(tables: Tables, table: str, columns: str, document_types: Sequence[str]) -> pa.Table:
    """Return all rows of types of documents."""
    query = (
        f"select {columns} from marts.{table} where document_type in (select unnest(?)) "
        "order by all"
    )
    with opened(tables, [("marts", table)], "`deepinnovation build --labels FILE`") as connection:
        return connection.sql(query, params=[list(document_types)]).to_arrow_table()
