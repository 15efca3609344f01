"""
Refuse by its words alone what both layers of the decision would surely refuse.

A linear unit over hashed words, taught by what the layers decided of other documents: thousands of
documents per processor second, where a layer judges tens. A filter is a folder: the weights, and
`word_filter.json` with threshold, languages and hashes.
:mod:`python_steps.ai_decision.training.word_filter` writes such folders.

The score of a document never depends, to the bit, on the documents it is computed with.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import tables
from python_steps.ai_decision.catalogue import PACKAGED
from python_steps.ai_decision.classifier import DOCUMENT_TYPES
from python_steps.ai_decision.folders import (
    PACKAGED_FOLDER,
    WORD_FILTER_FILE,
    check_files,
    read_description,
)
from python_steps.ai_decision.network import read_text
from python_steps.errors import ModelError

if TYPE_CHECKING:
    import scipy.sparse

WEIGHTS_FILE = "words.safetensors"
FIELDS = ("document_type", "languages", "threshold", "sha256")

# With fewer places words share weights; 2 ** 18 in 16 bits are half a megabyte.
PLACES = 2**18
DOCUMENTS_AT_ONCE = 4096


@dataclass(frozen=True)
class WordFilter:
    """
    What refuses documents of one type by their words.

    It pickles to some hundred bytes; the weights are loaded once per process.

    Attributes
    ----------
    folder
        Absolute path of the filter's folder.
    document_type
        ``paper`` or ``patent``.
    model_version
        Name and content hash: equal versions give equal scores.
    threshold
        Least score of a document that goes on to the layers, in nats.
    languages
        ISO 639-1 codes of the languages it was taught in; documents in others go on unjudged.
    """

    folder: str
    document_type: str
    model_version: str
    threshold: float
    languages: tuple[str, ...]

    def scores(self, titles: Sequence[str | None], abstracts: Sequence[str | None]) -> np.ndarray:
        """
        Return the scores of documents.

        Parameters
        ----------
        titles, abstracts
            As many of the one as of the other; None counts as the empty text.

        Returns
        -------
        np.ndarray
            float32 of shape [documents], in nats: the log odds that both layers accept.

        Raises
        ------
        ModelError
            When this process has to load the weights and cannot, or finds others.
        """
        weights, intercept = _loaded(self.folder, self.model_version)
        scores = np.empty(len(titles), dtype=np.float32)
        # Chunks bound the memory of words; they decide no result.
        for start in range(0, len(titles), DOCUMENTS_AT_ONCE):
            part = slice(start, start + DOCUMENTS_AT_ONCE)
            scores[part] = hashed_words(titles[part], abstracts[part]) @ weights + intercept
        return scores


def hashed_words(
    titles: Sequence[str | None], abstracts: Sequence[str | None]
) -> scipy.sparse.csr_matrix:
    """
    Count the words of documents by their hash.

    Words are read as classifiers read them, in lower case and without full stops.

    Returns
    -------
    scipy.sparse.csr_matrix
        float64 of shape [documents, PLACES]: log(1 + count) of the words whose MurmurHash3 is a
        place, each row at unit length; a document without words has none.
    """
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.preprocessing import normalize

    words = (
        read_text(f"{title or ''} {abstract or ''}").lower().replace(".", " ").split()
        for title, abstract in zip(titles, abstracts, strict=True)
    )
    counts = FeatureHasher(PLACES, input_type="string", alternate_sign=False).transform(words)
    np.log1p(counts.data, out=counts.data)
    return normalize(counts, copy=False)


def judge(table: pa.Table, *, filters: Sequence[WordFilter]) -> pa.Table:
    """
    Score documents by their words.

    Parameters
    ----------
    table
        Columns document_id, document_type, text_hash, title, abstract.
    filters
        At most one for each type of document; documents of another type are left out.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.FILTERED`, those of one type in the order they come.

    Raises
    ------
    ModelError
        When weights cannot be loaded.
    """
    parts = [tables.FILTERED.empty_table()]
    for each in filters:
        mine = table.filter(pc.equal(table.column("document_type"), each.document_type))
        texts = (mine.column(name).to_pylist() for name in ("title", "abstract"))
        versions = pa.array([each.model_version] * mine.num_rows, pa.string())
        scores = pa.array(each.scores(*texts), pa.float32())
        columns = [mine.column("document_id"), mine.column("text_hash"), versions, scores]
        parts.append(pa.table(columns, schema=tables.FILTERED))
    return pa.concat_tables(parts)


def load_word_filters(
    classifiers: str = PACKAGED,
    *,
    word_filter: bool = True,
    document_types: Sequence[str] = DOCUMENT_TYPES,
) -> list[WordFilter]:
    """
    Find the filter of each type of document that has one.

    Parameters
    ----------
    classifiers
        ``packaged``, or a folder of classifiers, a filter in its subfolder ``filter_paper`` or
        ``filter_patent``; the packaged ones stand in for what it does not hold.
    word_filter
        Whether to use word filters at all; False finds none.
    document_types
        What to filter.

    Raises
    ------
    ModelError
        When a filter cannot be read, or its weights are not those that were trained.
    """
    places = [PACKAGED_FOLDER]
    if classifiers != PACKAGED:
        places.insert(0, Path(classifiers).expanduser().absolute())
    _refuse_unfinished(places[0], document_types)
    folders = (
        next((folder for folder in named if (folder / WORD_FILTER_FILE).is_file()), None)
        for named in ([place / f"filter_{kind}" for place in places] for kind in document_types)
    )
    return [load_word_filter(folder) for folder in folders if folder is not None and word_filter]


def _refuse_unfinished(place: Path, document_types: Sequence[str]) -> None:
    """Raise where a filter is not finished, as the packaged one would be used."""
    for kind in document_types:
        begun = place / f"filter_{kind}"
        if begun.is_dir() and not (begun / WORD_FILTER_FILE).is_file():
            message = (
                f"{begun} holds no finished word filter: let its `deepinnovation train` run to the "
                "end, or remove the folder"
            )
            raise ModelError(message)


def load_word_filter(folder: str | Path) -> WordFilter:
    """
    Load one filter from its folder, once the hash of its weights has been checked.

    Raises
    ------
    ModelError
        When a file is missing, cannot be read, or is another than was trained.
    """
    folder = Path(folder).absolute()
    description = read_description(folder, WORD_FILTER_FILE, FIELDS)
    check_files(folder, description)
    if not folder.name.endswith(description["document_type"]):
        message = f"{folder} says that it filters {description['document_type']}s: rename it"
        raise ModelError(message)
    decisive = json.dumps({name: description[name] for name in FIELDS}, sort_keys=True)
    return WordFilter(
        folder=str(folder),
        document_type=description["document_type"],
        model_version=f"{folder.name}/{hashlib.sha256(decisive.encode()).hexdigest()[:12]}",
        threshold=float(description["threshold"]),
        languages=tuple(description["languages"]),
    )


@functools.cache
def _loaded(folder: str, model_version: str) -> tuple[np.ndarray, float]:
    """Return the weights, float64 of shape [PLACES], and the intercept."""
    from safetensors.numpy import load_file

    if load_word_filter(folder).model_version != model_version:
        message = f"the word filter in {folder} is no longer {model_version}: build again"
        raise ModelError(message)
    stored = load_file(Path(folder) / WEIGHTS_FILE)
    return stored["weight"].astype(np.float64), float(stored["intercept"][0])


def describe(filters: Sequence[WordFilter]) -> pa.Table:
    """Return rows of :data:`tables.WORD_FILTERS`: one per type of document that has a filter."""
    rows = [
        {
            "document_type": each.document_type,
            "model_version": each.model_version,
            "threshold": each.threshold,
            "languages": list(each.languages),
        }
        for each in filters
    ]
    return pa.Table.from_pylist(rows, schema=tables.WORD_FILTERS)


def versions(filters: Sequence[WordFilter]) -> str:
    """Name all that filters, for checkpoints."""
    return " ".join(each.model_version for each in filters)
