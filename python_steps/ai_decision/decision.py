"""
Judge documents in both layers of the decision.

Where both layers have one encoder, as the packaged ones do, it reads each document once, and two
linear units judge the vector.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import tables
from python_steps.ai_decision.classifier import Classifier
from python_steps.errors import ModelError

DOCUMENTS_AT_ONCE = 4096


# float32[layers, hidden size] by encoder version and document.
Vectors = dict[str, dict[str, np.ndarray]]


def classify(table: pa.Table, *, classifiers: Sequence[Classifier]) -> pa.Table:
    """
    Judge documents in both layers: the inner one judges what the outer one accepts.

    Parameters
    ----------
    table
        Columns document_id, text_hash, title, abstract; outer_model_version and
        inner_model_version, which name the classifiers that judge the document; outer_threshold;
        and outer_probability, null where the outer layer has yet to judge.
    classifiers
        All that the table names are among them.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.CLASSIFIED`: first those of the outer layer, then those of the inner
        one, in the order they come. Where both layers have one encoder, the cost is that of one
        pass of the transformer for each document; else of one for each row.

    Raises
    ------
    ModelError
        When a model cannot be loaded.
    """
    parts: list[list[pa.Table]] = [[], []]
    # Chunks bound the memory of vectors; they decide no result.
    for start in range(0, max(1, table.num_rows), DOCUMENTS_AT_ONCE):
        found = _both_layers(table.slice(start, DOCUMENTS_AT_ONCE), classifiers)
        for layer, judged in zip(parts, found, strict=True):
            layer.append(judged)
    return pa.concat_tables([*parts[0], *parts[1]])


def _both_layers(table: pa.Table, classifiers: Sequence[Classifier]) -> tuple[pa.Table, pa.Table]:
    """Return the rows of the outer layer, and those of the inner one."""
    vectors: Vectors = {}
    known = table.column("outer_probability").combine_chunks()
    is_new = pc.is_null(known)
    outer = judge(table.filter(is_new), classifiers=classifiers, layer="outer", vectors=vectors)
    probabilities = pc.replace_with_mask(
        known, is_new, outer.column("probability").combine_chunks()
    )
    is_accepted = pc.greater_equal(probabilities, table.column("outer_threshold"))
    accepted = table.filter(is_accepted)
    return outer, judge(accepted, classifiers=classifiers, layer="inner", vectors=vectors)


def judge(
    table: pa.Table,
    *,
    classifiers: Sequence[Classifier],
    layer: str,
    vectors: Vectors | None = None,
) -> pa.Table:
    """
    Judge documents in one layer.

    Parameters
    ----------
    table
        Columns document_id, text_hash, title, abstract, and ``LAYER_model_version``, which names
        the classifier that judges the document.
    classifiers
        All that the table names are among them.
    layer
        ``outer`` or ``inner``.
    vectors
        Vectors that are known by encoder version and document; those that are computed are added.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.CLASSIFIED`, in the order they come.

    Raises
    ------
    ModelError
        When a model cannot be loaded.
    """
    vectors = {} if vectors is None else vectors
    named = table.column(f"{layer}_model_version")
    logits = np.full(table.num_rows, np.nan, dtype=np.float32)
    probabilities = np.full(table.num_rows, np.nan)
    _refuse_unknown(named, classifiers)
    for classifier in classifiers:
        is_its_own = pc.equal(named, classifier.model_version).to_numpy(zero_copy_only=False)
        places = np.flatnonzero(is_its_own)
        if not len(places):
            continue
        known = vectors.setdefault(classifier.encoder_version, {})
        found = _logits(table.take(pa.array(places)), classifier, known)
        logits[places] = found
        probabilities[places] = classifier.probabilities(found)
    return pa.table(
        [
            table.column("document_id"),
            table.column("text_hash"),
            pa.array([layer] * table.num_rows, pa.string()),
            named,
            pa.array(logits, pa.float32()),
            pa.array(probabilities, pa.float64()),
        ],
        schema=tables.CLASSIFIED,
    )


def _refuse_unknown(named: pa.ChunkedArray, classifiers: Sequence[Classifier]) -> None:
    """Raise ModelError where a classifier is named that is not loaded: it has been replaced."""
    unknown = set(named.unique().to_pylist()) - {each.model_version for each in classifiers}
    if unknown:
        message = (
            f"the classifier {min(map(str, unknown))} is no longer there: it was replaced during "
            "the build. Build again"
        )
        raise ModelError(message)


def _logits(table: pa.Table, classifier: Classifier, known: dict[str, np.ndarray]) -> np.ndarray:
    """Return the logits of documents; vectors that are not known are computed and added."""
    names = table.column("document_id").to_pylist()
    new = pa.array([place for place, name in enumerate(names) if name not in known], pa.int64())
    texts = table.select(["title", "abstract"]).take(new)
    computed = classifier.vectors(*(column.to_pylist() for column in texts.columns))
    known.update(zip((names[place] for place in new.to_pylist()), computed, strict=True))
    return classifier.logits_of(np.stack([known[name] for name in names]))
