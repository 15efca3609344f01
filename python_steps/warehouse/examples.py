"""Labelled documents of a warehouse, for training and cross-validation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from python_steps.errors import InputError
from python_steps.warehouse.opening import opened

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from python_steps.warehouse.places import Tables


TABLE = ("marts", "classifier_examples")
COLUMNS = (
    *("document_id", "document_type", "title", "abstract", "language", "year", "source_name"),
    *("categories", "label_source", "label_is_ai", "label_confidence"),
    *("sampling_weight", "split", "stratum", "title_key"),
)


def read_examples(
    warehouse: Tables,
    *,
    layer: str,
    document_types: Sequence[str],
    splits: Sequence[str] = ("train", "validation"),
    sources: Sequence[str] = (),
    label_sources: Sequence[str] = (),
    languages: Sequence[str] = (),
    most_per_source: int | None = None,
) -> pa.Table:
    """
    Read the examples of one layer.

    Parameters
    ----------
    warehouse
        Where `classifier_examples` was built.
    layer
        ``outer`` or ``inner``.
    document_types, splits
        Which examples.
    sources
        Names of sources; none of them means all.
    label_sources
        What names of label sources begin with; none of them means all.
    languages
        ISO 639-1 codes; none of them means all. An unknown language counts as each.
    most_per_source
        Maximum number from each source. They are drawn by the hash of the title, so a larger
        number includes all documents of a smaller one.

    Returns
    -------
    pa.Table
        :data:`COLUMNS`, `label_is_ai` as `is_ai`, in the order of the document ids.

    Raises
    ------
    InputError
        When the warehouse cannot be opened, holds no examples, those of another version, none of a
        source or label source that is named, or examples of a label only in languages that are not
        named.
    """
    asked = f"""
        from {".".join(TABLE)}
        where layer = $layer and document_type in (select unnest($document_types))
            and split in (select unnest($splits))
            and (len($sources) = 0 or source_name in (select unnest($sources)))
            and (
                len($label_sources) = 0
                or len(list_filter($label_sources, lambda p: starts_with(label_source, p))) > 0
            )
    """
    parameters = {
        "layer": layer,
        "document_types": list(document_types),
        "splits": list(splits),
        "sources": list(sources),
        "label_sources": list(label_sources),
    }
    query = f"""
        select {", ".join(COLUMNS)}
        {asked}
            and (len($languages) = 0 or language is null or language in (select unnest($languages)))
        qualify row_number() over (
            partition by source_name order by md5(title_key), document_id
        ) <= $most
        order by document_id
    """
    remedy = "`deepinnovation build --select +classifier_examples` and your sources"
    with opened(warehouse, [TABLE], remedy) as connection:
        _refuse_unknown_sources(connection, "source", "source_name", sources)
        _refuse_another_version(connection)
        _refuse_unknown_sources(connection, "label source", "label_source", label_sources)
        if languages:
            counts = f"select label_is_ai, language, count(*) {asked} group by all"
            _refuse_only_other_languages(
                connection.execute(counts, parameters).fetchall(), languages
            )
        further = {"languages": list(languages), "most": most_per_source or 2**62}
        examples = connection.sql(query, params=parameters | further).to_arrow_table()
        return examples.rename_columns({"label_is_ai": "is_ai"})


def _refuse_unknown_sources(
    connection: duckdb.DuckDBPyConnection, what: str, column: str, asked: Sequence[str]
) -> None:
    """Refuse names with which no source of labelled documents, or of labels, begins."""
    query = f"select distinct {column} from {'.'.join(TABLE)}"
    known = [str(name) for (name,) in connection.execute(query).fetchall()]
    is_prefix = column == "label_source"
    unknown = sorted(
        each
        for each in set(asked)
        if not any(name.startswith(each) if is_prefix else name == each for name in known)
    )
    if unknown:
        message = (
            f"The warehouse has no labelled documents from the {what} {', '.join(unknown)}; it has "
            f"{', '.join(sorted(known)) or 'none'}."
        )
        raise InputError(message)


def _refuse_another_version(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse examples that another version built, without the columns of this one."""
    columns = connection.execute(f"describe {'.'.join(TABLE)}").fetchall()
    absent = set(COLUMNS) - {name for name, *_ in columns}
    if absent:
        message = (
            f"marts.classifier_examples lacks {', '.join(sorted(absent))}, as another version "
            "built it: build it again with `deepinnovation build --select +classifier_examples` "
            "and your sources."
        )
        raise InputError(message)


def _refuse_only_other_languages(
    counts: Sequence[tuple[bool, str | None, int]], languages: Sequence[str]
) -> None:
    """Refuse where all examples of a label are in languages that were not named."""
    present = {is_ai for is_ai, language, _ in counts if language in (None, *languages)}
    by_language: Counter[str] = Counter()
    for is_ai, language, count in counts:
        if is_ai not in present:
            by_language[language] += count
    if not by_language:
        return
    absent = " or ".join(
        "AI" if is_ai else "not AI" for is_ai in (True, False) if is_ai not in present
    )
    (first, count), *others = sorted(by_language.items(), key=lambda pair: (-pair[1], pair[0]))
    counted = [f"{count:,} {'is' if count == 1 else 'are'} in {first}"]
    counted += [f"{count:,} in {language}" for language, count in others]
    message = (
        f"No example labelled {absent} is in the language {' or '.join(languages)}, but "
        f"{' and '.join(counted)}. Name their language with --language, as --language {first}."
    )
    raise InputError(message)
