"""Read the evaluation of the classifiers from a warehouse, and judge its baselines beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from python_steps.ai_decision.evaluation import baselines, measures
from python_steps.engine.progress import with_progress
from python_steps.warehouse.opening import opened
from python_steps.warehouse.places import Tables

if TYPE_CHECKING:
    import duckdb

    from python_steps.embeddings.encoder import Encoder

PREDICTIONS = "classifier_predictions"
MART = "classifier_evaluation"
REMEDY = "`deepinnovation build --labels FILE`"

# What the classifiers refuse to read, the baselines do not read either: all are judged by the same
# documents.
EXAMPLES = """
    select document_id, title, abstract, label_is_ai as is_ai, split
    from marts.classifier_examples
    where layer = 'outer' and document_type = $document_type and document_id in (
        select document_id from marts.documents where outer_probability is not null
    )
    qualify row_number() over (partition by split order by md5(title_key), document_id) <= $most
    order by document_id
"""
JUDGED = """
    select predictions.* replace (
        judged.baseline as judge,
        judged.probability >= judged.threshold as is_accepted,
        judged.probability as probability,
        judged.threshold as threshold,
        judged.model_version as model_version
    ) rename (label_is_ai as is_ai)
    from marts.classifier_predictions as predictions
    inner join judged using (document_id)
    where predictions.judge = $judge
    order by all
"""


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
    with opened(tables, [("marts", table)], REMEDY) as connection:
        return connection.sql(query, params=[list(document_types)]).to_arrow_table()


def judge_baselines(
    tables: Tables,
    document_types: Sequence[str],
    *,
    encoder: Encoder,
    most: int,
    draws: int = measures.DRAWS,
) -> tuple[pa.Table, pa.Table]:
    """
    Train the baselines on a warehouse's labels, and measure them on its split `test`.

    Parameters
    ----------
    tables
        A warehouse with labels.
    document_types
        Of which documents.
    encoder
        What turns texts into vectors.
    most
        Labelled documents of each type and split that are read, by the hash of their title.
    draws
        Of the bootstrap.

    Returns
    -------
    measured, predictions
        Rows of :data:`tables.EVALUATION` and :data:`tables.PREDICTIONS`. The cost is that of the
        encoder for three times `most` texts of each type.

    Raises
    ------
    InputError
        When the warehouse cannot be read or was built without labels.
    """
    needs = [("marts", name) for name in (PREDICTIONS, "classifier_examples", "documents")]
    with opened(tables, needs, REMEDY) as connection:
        parts = [
            connection.sql(EXAMPLES, params={"document_type": kind, "most": most}).to_arrow_table()
            for kind in document_types
        ]
        reported = with_progress(
            parts,
            total=sum(part.num_rows for part in parts),
            size=len,
            description="judge by baselines",
            unit="documents",
        )
        judged = pa.concat_tables(baselines.judge(part, encoder=encoder) for part in reported)
        predictions = _joined(connection, judged)
    return measures.evaluate(predictions, draws=draws), predictions


def _joined(connection: duckdb.DuckDBPyConnection, judged: pa.Table) -> pa.Table:
    """Return judgements with what the warehouse says of their documents."""
    connection.register("judged", judged)
    return connection.sql(JUDGED, params={"judge": measures.OUTER}).to_arrow_table()
