"""Draw a sample of the documents that the outer layer accepts, for annotation."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from python_steps.ai_decision.annotation.documents import Document, Excerpt
from python_steps.errors import InputError
from python_steps.warehouse.opening import opened
from python_steps.warehouse.places import Tables

if TYPE_CHECKING:
    import duckdb


NEEDS = (("marts", "annotation_candidates"), ("marts", "documents"), ("marts", "document_labels"))


CANDIDATES = """
    select
        document_id,
        document_type,
        title,
        abstract,
        text_hash,
        source_name,
        year,
        language,
        outer_probability,
        sampling_stratum as stratum
    from marts.annotation_candidates
"""


# Of each stratum its documents in the order of a hash; then all strata's first ones, and the others
# by how much of their stratum has gone before. However long, the beginning of this one order
# holds all strata in like shares (Adams' apportionment), and a larger sample holds the smaller.
DRAWN = f"""
    with candidates as ({CANDIDATES}),
    hashed as (
        select *, md5($seed || ':' || document_id) as draw from candidates
    ),
    ranked as (
        select
            *,
            (row_number() over (partition by stratum order by draw, document_id) - 1)
            / count(*) over (partition by stratum) as place
        from hashed
    )
    select * exclude (draw, place) from ranked
    order by place, draw, document_id
    limit $size
"""


def read_sample(
    connection: "duckdb.DuckDBPyConnection", sample: int | float, seed: int
) -> tuple[int, list[Document]]:
    """Draw documents that the outer layer accepts, stratified; the same seed draws the same.

    Parameters
    ----------
    connection
        An open warehouse.
    sample
        Documents (an int), or a share of them above 0 and at most 1 (a float).
    seed
        Any number.

    Returns
    -------
    int, list of Document
        How many documents are accepted, and those drawn. A smaller sample is the beginning of a
        larger one.
    """
    counted = connection.execute(f"select count(*) from ({CANDIDATES})").fetchone()
    # Rounded first, because .07 of 100 is 7.000000000000001.
    share = math.ceil(round(sample * counted[0], 6)) if isinstance(sample, float) else sample
    drawn = connection.execute(DRAWN, {"seed": str(seed), "size": share})
    columns = [column[0] for column in drawn.description]
    rows = drawn.fetchall()
    return counted[0], [Document(**dict(zip(columns, row, strict=True))) for row in rows]


def read_excerpt(
    tables: Tables, sample: int | float, seed: int, hashes: Iterable[str] = ()
) -> Excerpt:
    """Read all that is needed of a warehouse, and close it: asking takes hours, others build.

    Parameters
    ----------
    tables
        The warehouse.
    sample, seed
        As `read_sample` takes them.
    hashes
        Texts of earlier answers.

    Raises
    ------
    InputError
        If the warehouse cannot be opened, lacks a table, or the outer layer accepts nothing.
    """
    with opened(tables, NEEDS) as connection:
        accepted, drawn = read_sample(connection, sample, seed)
        wanted = sorted({*hashes, *(document.text_hash for document in drawn)})
        named = connection.execute(
            "select text_hash, document_id from marts.documents "
            "where text_hash in (select unnest($hashes::varchar[])) order by document_id",
            {"hashes": wanted},
        ).fetchall()
        labels = connection.execute(
            "select document_id, label_source, label_is_ai "
            "from marts.document_labels where label_is_ai is not null "
            "and document_id in (select unnest($documents::varchar[]))",
            {"documents": [document_id for _, document_id in named]},
        ).fetchall()
    if not accepted:
        raise InputError(
            f"In {tables.path} the outer layer accepts no document: nothing to ask about."
        )
    names: dict[str, list[str]] = {}
    for text_hash, document_id in named:
        names.setdefault(text_hash, []).append(document_id)
    return Excerpt(accepted, drawn, names, labels)
