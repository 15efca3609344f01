"""
Teach a word filter what both layers accept, and write it to a folder.

Logistic regression on hashed words: the mean of fits that each left out a part of the documents.
Each document is scored by the fit that left it out, as a new one would be, and the threshold keeps
a share of what both layers accept by these scores.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.ai_decision import calibration, word_filter
from python_steps.ai_decision.folders import WORD_FILTER_FILE
from python_steps.ai_decision.training.folder import make_folder, sha256_of, write_json
from python_steps.ai_decision.training.word_filter_card import write_card
from python_steps.ai_decision.word_filter import WEIGHTS_FILE, hashed_words
from python_steps.errors import TrainingError
from python_steps.statistics.intervals import wilson

if TYPE_CHECKING:
    import scipy.sparse

RECALL = 0.9985  # of what both layers accept: .998, and a little for chance
STRENGTH = 3.0  # inverse of the penalty
PARTS = 5
FEWEST = 1000  # documents that both layers accept, and others


def train(
    examples: pa.Table, folder: Path, *, recall: float = RECALL, command: str = ""
) -> dict[str, Any]:
    """
    Train a filter and write its folder: weights, description and card.

    The same examples give the same bytes. Some 10,000 documents take a minute.

    Parameters
    ----------
    examples
        Columns document_id, document_type (one), title, abstract, language, source_name, title_key,
        split, is_accepted (by both layers) and model_version (of the layers). Those of the split
        `test` are scored only.
    folder
        Where to write.
    recall
        Share of what both layers accept that new documents are expected to keep.
    command
        The command that was typed, for the card.

    Returns
    -------
    dict[str, Any]
        What `word_filter.json` says.

    Raises
    ------
    TrainingError
        When there are too few examples, or the folder cannot be made.
    """
    is_test = pc.equal(examples.column("split"), "test")
    taught, tested = examples.filter(pc.invert(is_test)), examples.filter(is_test)
    _refuse_too_few(taught)
    weights, intercept, left_out = _fitted(_words(taught), _accepted(taught), _parts(taught))
    threshold = calibration.threshold_at_recall(
        _accepted(taught), left_out.astype(np.float64), recall
    )
    make_folder(folder)
    (folder / WORD_FILTER_FILE).unlink(missing_ok=True)  # a folder without one is no filter
    _write_weights(weights, intercept, folder / WEIGHTS_FILE)
    description = {
        "document_type": taught.column("document_type")[0].as_py(),
        "languages": sorted(set(taught.column("language").drop_null().to_pylist())),
        "threshold": threshold,
        "sha256": {WEIGHTS_FILE: sha256_of(folder / WEIGHTS_FILE)},
        "settings": {"recall": recall, "strength": STRENGTH, "places": word_filter.PLACES},
        "taught_by": sorted(set(examples.column("model_version").to_pylist())),
        "command": command,
        "validation": _measured(taught, left_out, threshold),
        "test": _measured(tested, _scores(_words(tested), weights, intercept), threshold),
    }
    write_json(folder / WORD_FILTER_FILE, description)
    (folder / "README.md").write_text(write_card(folder.name, description), encoding="utf-8")
    return description


def _refuse_too_few(taught: pa.Table) -> None:
    """Raise where a filter or its threshold would be left to chance."""
    accepted = int(_accepted(taught).sum())
    for count, told in ((accepted, "accept"), (taught.num_rows - accepted, "do not accept")):
        if count < FEWEST:
            message = (
                f"{count:,} documents that both layers {told}, and a word filter needs at least "
                f"{FEWEST:,}: build more of them, without a word filter"
            )
            raise TrainingError(message)


def _accepted(examples: pa.Table) -> np.ndarray:
    return examples.column("is_accepted").to_numpy(zero_copy_only=False).astype(bool)


def _words(examples: pa.Table) -> scipy.sparse.csr_matrix:
    return hashed_words(*(examples.column(name).to_pylist() for name in ("title", "abstract")))


def _parts(examples: pa.Table) -> np.ndarray:
    """Return the part of each example, int64: equal titles share one."""
    keys = examples.column("title_key").to_pylist()
    return np.array([hashlib.md5(key.encode()).digest()[-1] % PARTS for key in keys])


def _fitted(
    words: scipy.sparse.csr_matrix, accepted: np.ndarray, parts: np.ndarray
) -> tuple[np.ndarray, np.float32, np.ndarray]:
    """
    Fit as many times as there are parts, each time without one.

    One fit to all would score higher what is far from its threshold than the fits that chose it.

    Returns
    -------
    weights, intercept
        The mean of the fits, as it is stored: float16[PLACES] and float32.
    left_out
        The score of each example by the fit that left it out: float32[examples].
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    mean, intercept = np.zeros(word_filter.PLACES), 0.0
    left_out = np.empty(len(accepted), np.float32)
    for part in range(PARTS):
        here = parts == part
        with threadpool_limits(1):  # the order of a sum must not follow the number of cores
            fitted = LogisticRegression(C=STRENGTH, max_iter=1000).fit(
                words[~here], accepted[~here]
            )
        left_out[here] = fitted.decision_function(words[here])
        mean += fitted.coef_[0] / PARTS
        intercept += float(fitted.intercept_[0]) / PARTS
    return mean.astype(np.float16), np.float32(intercept), left_out


def _write_weights(weights: np.ndarray, intercept: np.float32, path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"weight": weights, "intercept": np.array([intercept])}, path)
    path.chmod(0o644)  # as every other file: safetensors lets nobody else read it


def _scores(
    words: scipy.sparse.csr_matrix, weights: np.ndarray, intercept: np.float32
) -> np.ndarray:
    """Return float32[examples], as :meth:`WordFilter.scores` does."""
    return (words @ weights.astype(np.float64) + float(intercept)).astype(np.float32)


def _measured(examples: pa.Table, scores: np.ndarray, threshold: float) -> list[dict[str, Any]]:
    """Count, of all sources and of each: documents, accepted ones, and what the filter does."""
    sources = np.array(examples.column("source_name").to_pylist(), dtype=object)
    accepted, passed = _accepted(examples), scores >= threshold
    rows = []
    for source in [None, *sorted(set(sources.tolist()))]:
        here = np.full(len(sources), fill_value=True) if source is None else sources == source
        count, kept = int((accepted & here).sum()), int((accepted & passed & here).sum())
        low, high = wilson(kept / count, count) if count else (None, None)
        rows.append(
            {
                "source": source,
                "documents": int(here.sum()),
                "refused": int((~passed & here).sum()),
                "accepted_by_both_layers": count,
                "kept": kept,
                "recall_low": low,
                "recall_high": high,
            }
        )
    return rows
