"""Read the evaluation of the classifiers from a warehouse, or cross-validate on its labels."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from python_steps.warehouse.examples import open_for
from python_steps.warehouse.places import Tables

PREDICTIONS = "int_documents_judged"
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
    measured = _read(tables, "marts", MART, document_types)
    if not with_predictions:
        return measured, None
    return measured, _read(tables, "intermediate", PREDICTIONS, document_types)


def _read(tables: Tables, schema: str, table: str, document_types: Sequence[str]) -> pa.Table:
    """Return all rows of types of documents."""
    query = f"from {schema}.{table} where document_type in (select unnest(?)) order by all"
    remedy = "labels, by `deepinnovation build --labels FILE`"
    with open_for(tables, (schema, table), remedy) as connection:
        return connection.sql(query, params=[list(document_types)]).to_arrow_table()
