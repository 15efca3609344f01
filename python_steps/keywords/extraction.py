"""
Give every document keywords.

Delivered keywords win. Where there are none, the phrases of the document that lie nearest to its
vector are taken, each as unlike those already taken as `diversity` asks: KeyBERT's method
(Grootendorst 2020, maximal marginal relevance after Carbonell and Goldstein 1998), with vectors of
phrases that are computed once for all documents instead of once for each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.embeddings import encoder
from python_steps.engine.progress import advancing
from python_steps.engine.vectors import VectorRows, store
from python_steps.keywords.forms import published_form, without_plural_s

TITLE_WORDS = 8
UNTITLED = "untitled"


@dataclass(frozen=True)
class PhraseVectors:
    """
    The vectors of all phrases that may become keywords.

    It pickles as the name of its files; see :class:`vectors.VectorRows`.

    Attributes
    ----------
    rows
        The column `phrase` (large text, each once) and vectors of length one.
    model_version
        What made the vectors; empty without phrases.
    digest
        Names the content.
    """

    rows: VectorRows
    model_version: str
    digest: str

    @classmethod
    def from_batches(
        cls, batches: Iterable[pa.RecordBatch], *, folder: str | Path
    ) -> PhraseVectors:
        """
        Read phrases whole and write them to files; memory holds the phrases, not the vectors.

        Parameters
        ----------
        batches
            Columns `phrase` (text, each once), `embedding` (float32[width], of length one) and
            `model_version` (text); ordered by `phrase` if :attr:`digest` is to stay the same from
            run to run.
        folder
            Where files named by their content, ``*.phrases.*``, are kept; every machine shares it.

        Raises
        ------
        ValueError
            When vectors come from more than one model or are not of length one.
        """
        versions = set()

        def pieces() -> Iterator[tuple[pa.Table, np.ndarray]]:
            for batch in batches:
                table = pa.Table.from_batches([batch])
                versions.update(table.column("model_version").unique().to_pylist())
                if len(versions) > 1:
                    message = (
                        f"phrases have vectors of more than one model: {sorted(map(str, versions))}"
                    )
                    raise ValueError(message)
                yield table, encoder.unit_vectors(table, id_name="phrase")

        schema = pa.schema([("phrase", pa.large_string())])
        rows = store(pieces(), schema=schema, folder=folder, ending="phrases")
        version = next(iter(versions), None) or ""
        digest = hashlib.blake2b(f"{rows.digest} {version}".encode(), digest_size=16)
        return cls(rows, version, digest.hexdigest())


def extract(
    table: pa.Table,
    *,
    phrases: PhraseVectors,
    count: int = 10,
    diversity: float = 0.3,
    stop_phrases: Collection[str] = frozenset(),
    keep: Sequence[str] = ("document_id",),
) -> pa.Table:
    """
    Give every document keywords: delivered ones, else extracted ones, else its title.

    Costs, for a document with n candidates, `count` products of its n candidate vectors with one
    vector, and reading those vectors; nothing grows with the square of n.

    A phrase within a longer chosen one ("network" in "neural networks"), or the plural of a chosen
    one, leaves its place to another; KeyBERT itself keeps both.

    Parameters
    ----------
    table
        Columns `document_id`, `title`, `model_version` (text), `embedding` (float32[width]),
        `delivered_keywords` and `candidates` (lists of text), and those of `keep`. All but the
        first may be null.
    phrases
        Vectors of candidates. A candidate without one cannot be chosen.
    count
        Most keywords to extract. Delivered keywords are all kept, in their order.
    diversity
        0 takes the phrases nearest to the document, 1 those least like each other.
    stop_phrases
        Phrases, normalised, that say nothing of a document's subject.
    keep
        Columns to pass on.

    Returns
    -------
    pa.Table
        Columns of :func:`schema`, rows in the order they come. No list is empty or holds
        a keyword twice; extracted ones lie nearest to the document first. The title, cut to eight
        words, is the last resort, even where it is a stop phrase; without one the keyword is
        "untitled".

    Raises
    ------
    ValueError
        When documents and phrases have vectors of different models.
    """
    _check_models(table, phrases)
    stops = frozenset(stop_phrases)
    delivered = [
        _distinct(keywords, stops) for keywords in table.column("delivered_keywords").to_pylist()
    ]
    has_vector = table.column("embedding").is_valid().to_pylist()
    vectors = iter(encoder.unit_vectors(table.filter(table.column("embedding").is_valid())))
    candidates = _looked_up(table.column("candidates"), phrases)
    keywords, sources = [], []
    for row, title in enumerate(advancing(table.column("title").to_pylist())):
        vector = next(vectors) if has_vector[row] else None
        chosen, source = delivered[row], "delivered"
        if not chosen and vector is not None:
            texts, positions = _usable(candidates[row], stops)
            chosen, source = [], "extracted"
            if texts:
                found = phrases.rows.vectors[positions]
                chosen = _choose(texts, found, vector, count, diversity)
        if not chosen:
            chosen, source = [_title_keyword(title)], "title"
        keywords.append(chosen)
        sources.append(source)
    return pa.table(
        {
            **{name: table.column(name) for name in keep},
            "keywords": pa.array(keywords, pa.list_(pa.string())),
            "keyword_source": pa.array(sources, pa.string()),
            "model_version": table.column("model_version"),
        }
    )


def schema(keep: pa.Schema | None = None) -> pa.Schema:
    """
    Columns of documents with their keywords.

    Parameters
    ----------
    keep
        Columns that :func:`extract` keeps; the one column `document_id` unless given.

    Returns
    -------
    pa.Schema
        Kept columns, `keywords` (list of text, never empty), `keyword_source` (delivered,
        extracted or title), `model_version` (text).
    """
    kept = list(keep) if keep is not None else [pa.field("document_id", pa.string())]
    return pa.schema(
        [
            *kept,
            pa.field("keywords", pa.list_(pa.string())),
            pa.field("keyword_source", pa.string()),
            pa.field("model_version", pa.string()),
        ]
    )


def version(
    phrases: PhraseVectors,
    *,
    count: int,
    diversity: float,
    stop_phrases: Collection[str] = frozenset(),
) -> str:
    """Name all that decides a document's keywords besides the document, for checkpoints."""
    stops = hashlib.blake2b("\n".join(sorted(stop_phrases)).encode(), digest_size=8).hexdigest()
    return f"{phrases.digest} {count} {diversity} {stops}"


def _choose(
    texts: Sequence[str],
    vectors: np.ndarray,
    document: np.ndarray,
    count: int,
    diversity: float,
) -> list[str]:
    """
    Choose phrases near the document and unlike each other, nearest first.

    `texts` are distinct and in ascending order, so that the first of equals wins; `vectors` is
    float32[texts, width], `document` float32[width].
    """
    # einsum rather than BLAS: the same sums whatever the number of threads.
    relevance = np.einsum("ij,j->i", vectors, document)
    likeness = np.full(len(texts), -np.inf, np.float32)  # to the chosen phrase most alike
    left = np.ones(len(texts), dtype=bool)
    folded = [list(map(without_plural_s, text.split())) for text in texts]
    chosen: list[int] = []
    while len(chosen) < count and left.any():
        gain = relevance if not chosen else (1 - diversity) * relevance - diversity * likeness
        best = int(np.argmax(np.where(left, gain, -np.inf)))
        left[best] = False
        if any(is_within(folded[best], folded[other]) for other in chosen):
            continue
        # The longer phrase says what the shorter does: it takes its place.
        chosen = [other for other in chosen if not is_within(folded[other], folded[best])]
        chosen.append(best)
        likeness = np.maximum(likeness, np.einsum("ij,j->i", vectors, vectors[best]))
    return [texts[place] for place in sorted(chosen, key=lambda place: (-relevance[place], place))]


def is_within(words: list[str], longer: list[str]) -> bool:
    """Return whether words stand in another phrase, one after the other."""
    return f" {' '.join(words)} " in f" {' '.join(longer)} "


def _looked_up(column: pa.ChunkedArray, phrases: PhraseVectors) -> list[dict[str, int]]:
    """Return, of each row, the candidates that have a vector and where it is."""
    lists = column.to_pylist()
    distinct = sorted({candidate for row in lists for candidate in row or () if candidate})
    places = pc.index_in(
        pa.array(distinct, pa.large_string()), value_set=phrases.rows.table.column("phrase")
    )
    known = {
        text: place
        for text, place in zip(distinct, places.to_pylist(), strict=True)
        if place is not None
    }
    return [{text: known[text] for text in row or () if text in known} for row in lists]


def _usable(
    candidates: dict[str, int], stop_phrases: frozenset[str]
) -> tuple[list[str], np.ndarray]:
    """Return normalised candidates, ascending and distinct, and the rows of their vectors."""
    found: dict[str, int] = {}
    for candidate, position in sorted(candidates.items()):
        text = published_form(candidate)
        if text and text not in stop_phrases:
            found.setdefault(text, position)
    texts = sorted(found)
    return texts, np.array([found[text] for text in texts], dtype=np.int64)


def _distinct(keywords: Sequence[str] | None, stop_phrases: frozenset[str]) -> list[str]:
    normalised = dict.fromkeys(map(published_form, keywords or ()))
    return [keyword for keyword in normalised if keyword and keyword not in stop_phrases]


def _title_keyword(title: str | None) -> str:
    return published_form(" ".join(published_form(title).split()[:TITLE_WORDS])) or UNTITLED


def _check_models(table: pa.Table, phrases: PhraseVectors) -> None:
    if not phrases.model_version:  # no phrases, nothing compared
        return
    others = set(table.column("model_version").drop_null().unique().to_pylist())
    others.discard(phrases.model_version)
    if others:
        message = (
            f"documents are embedded by {sorted(others)}, phrases by {phrases.model_version!r}: "
            "their vectors cannot be compared"
        )
        raise ValueError(message)
