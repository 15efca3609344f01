"""What the layers decided of the documents of a warehouse, for a word filter to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from python_steps.errors import InputError
from python_steps.warehouse.opening import opened

if TYPE_CHECKING:
    import pyarrow as pa

    from python_steps.warehouse.places import Tables

TABLE = ("marts", "filter_examples")


def read_filter_examples(
    warehouse: Tables,
    *,
    document_type: str,
    sources: Sequence[str] = (),
    languages: Sequence[str] = ("en",),
    most_per_source: int | None = None,
) -> pa.Table:
    """
    Read what both layers decided.

    Parameters
    ----------
    warehouse
        Where `filter_examples` was built.
    document_type
        ``paper`` or ``patent``.
    sources
        Names of sources; none of them means all.
    languages
        ISO 639-1 codes; none means all.
    most_per_source
        Maximum number from each source. They are drawn by the hash of the title, so a larger
        number includes all documents of a smaller one.

    Returns
    -------
    pa.Table
        Rows of the mart `filter_examples`, in the order of the document ids.

    Raises
    ------
    InputError
        When the warehouse cannot be read, lacks the table, or holds no documents of a source.
    """
    query = f"""
        from {".".join(TABLE)}
        where document_type = $document_type
            and (len($languages) = 0 or language in (select unnest($languages)))
            and (len($sources) = 0 or source_name in (select unnest($sources)))
        qualify row_number() over (
            partition by source_name order by md5(title_key), document_id
        ) <= $most
        order by document_id
    """
    parameters = {
        "document_type": document_type,
        "languages": list(languages),
        "sources": list(sources),
        "most": most_per_source or 2**62,
    }
    remedy = "`deepinnovation build --select +filter_examples` and your sources"
    with opened(warehouse, [TABLE], remedy) as connection:
        examples = connection.sql(query, params=parameters).to_arrow_table()
    absent = sorted(set(sources) - set(examples.column("source_name").to_pylist()))
    if absent:
        message = (
            f"The layers judged no {document_type}s of the source {', '.join(absent)} in "
            f"{', '.join(languages)} without a word filter."
        )
        raise InputError(message)
    return examples
