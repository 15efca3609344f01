"""
Judge documents by logistic regression: what a fine-tuned classifier has to be better than.

One regression reads the words of a text, weighted by TF-IDF (Sparck Jones 1972); the other its
vector by the encoder that also serves similarity, as it is. Both read what the classifiers read,
train on the same split, and are calibrated and thresholded on the same validation split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import tables
from python_steps.ai_decision import calibration, classifier, network

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from python_steps.embeddings.encoder import Encoder


VERSION = 1  # counted up when the same rows would be judged otherwise


TFIDF = "tfidf_logistic_regression"
EMBEDDING = "embedding_logistic_regression"


# With fewer examples of either label the baseline has nothing to say.
FEWEST = {"train": 10, "validation": 2}
MOST_WORDS = 200_000  # words and pairs of words, the most frequent ones


# Inverse strength of regularisation: TF-IDF rows are of length one over many small numbers.
INVERSE_STRENGTH = {TFIDF: 10.0, EMBEDDING: 10.0}


Features = Callable[[list[str], np.ndarray], "np.ndarray | csr_matrix"]


def judge(table: pa.Table, *, encoder: Encoder | None = None) -> pa.Table:
    """
    Train the baselines on a table's training split and judge its test split.

    A document's result depends on the training and validation rows, on no other test row. It runs
    on one thread, so that equal rows give equal bytes. The cost is that of the encoder for every
    row; the regressions take seconds for thousands of rows.

    Parameters
    ----------
    table
        Columns document_id, title, abstract, is_ai, split (train, validation, test).
    encoder
        What turns texts into vectors; without one only TF-IDF judges.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.BASELINE_JUDGEMENTS` for the test split; none where the other splits
        hold too few documents with either label.

    Raises
    ------
    ModelError
        When the encoder has to be loaded and cannot.
    """
    from threadpoolctl import threadpool_limits

    splits = np.array(table.column("split").to_pylist(), dtype=object)
    truth = table.column("is_ai").to_numpy(zero_copy_only=False).astype(bool)
    nothing = tables.BASELINE_JUDGEMENTS.empty_table()
    if not (splits == "test").any() or not _suffice(splits, truth):
        return nothing
    texts = [
        f"{network.read_text(title)} {network.read_text(abstract)}".strip()
        for title, abstract in zip(
            table.column("title").to_pylist(), table.column("abstract").to_pylist(), strict=True
        )
    ]
    found = []
    by_name: dict[str, tuple[Features, str]] = {TFIDF: (_words, "words")}
    if encoder is not None:
        by_name[EMBEDDING] = (lambda texts, _: encoder.encode(texts), encoder.model_version)
    for name, (features, features_version) in by_name.items():
        matrix = features(texts, splits == "train")
        with threadpool_limits(1):
            judged = _regressed(matrix, splits, truth, INVERSE_STRENGTH[name])
        probabilities, threshold = judged
        version = _version(name, features_version, texts, splits, truth)
        documents = table.column("document_id").filter(pc.equal(table.column("split"), "test"))
        count = len(probabilities)
        found.append(
            pa.table(
                [
                    documents.combine_chunks(),
                    pa.repeat(name, count),
                    pa.array(probabilities, pa.float64()),
                    pa.repeat(threshold, count),
                    pa.repeat(version, count),
                ],
                schema=tables.BASELINE_JUDGEMENTS,
            )
        )
    return pa.concat_tables(found)


def _suffice(splits: np.ndarray, truth: np.ndarray) -> bool:
    return all(
        ((splits == split) & (truth == label)).sum() >= fewest
        for split, fewest in FEWEST.items()
        for label in (True, False)
    )


def _words(texts: list[str], is_training: np.ndarray) -> csr_matrix:
    """Return the words and pairs of words of texts, weighted as in those that train."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    weigh = TfidfVectorizer(
        ngram_range=(1, 2),
        sublinear_tf=True,
        min_df=2,
        max_features=MOST_WORDS,
        strip_accents="unicode",
        dtype=np.float64,
    )
    try:
        weigh.fit([text for text, is_one in zip(texts, is_training, strict=True) if is_one])
    except ValueError:  # no word stands in two texts: there is nothing to learn from
        return csr_matrix((len(texts), 1))
    return weigh.transform(texts)


def _regressed(
    matrix: np.ndarray | csr_matrix, splits: np.ndarray, truth: np.ndarray, strength: float
) -> tuple[np.ndarray, float]:
    """Return calibrated probabilities of the test rows and the threshold of best expected F1."""
    from sklearn.linear_model import LogisticRegression

    training, validation, test = (
        np.flatnonzero(splits == split) for split in ("train", "validation", "test")
    )
    fitted = LogisticRegression(C=strength, max_iter=1000).fit(matrix[training], truth[training])
    logits = fitted.decision_function(matrix[validation])
    try:
        temperature, bias = calibration.calibration(truth[validation], logits)
    except ValueError:  # it learned nothing, and is to show it
        temperature, bias = 1.0, 0.0
    threshold = calibration.threshold_at_best_f1(classifier.calibrated(logits, temperature, bias))
    scores = fitted.decision_function(matrix[test])
    return classifier.calibrated(scores, temperature, bias), threshold


def _version(
    name: str, features: str, texts: list[str], splits: np.ndarray, truth: np.ndarray
) -> str:
    """Return a name for everything that decides a baseline."""
    import sklearn

    digest = hashlib.sha256(f"{name}\n{features}\n{sklearn.__version__}\n".encode())
    for row in sorted(zip(texts, splits.tolist(), truth.tolist(), strict=True)):
        if row[1] != "test":
            digest.update(repr(row).encode())
    return f"{name}/{digest.hexdigest()[:12]}"
