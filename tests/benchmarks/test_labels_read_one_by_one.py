"""
What the labels of `labels_llm` teach, by five folds over titles: heads, frozen vectors, words.

`python -m pytest -m slow -s tests/benchmarks/test_labels_read_one_by_one.py` prints the table and
the learning curve. Judged are English documents of open licence, weighted by stratum; learned from
is what the outer layer accepts of the other folds. The packaged inner layer is no row here: it has
learned from most of these documents.
"""

import hashlib
import sys

import numpy as np
import pyarrow as pa
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from python_steps.ai_decision import catalogue
from python_steps.ai_decision.evaluation import measures
from python_steps.ai_decision.network import read_text
from python_steps.ai_decision.training.examples import confidence_of
from python_steps.embeddings.encoder import load_encoder
from tests import real_data

pytestmark = pytest.mark.slow

FOLDS = 5
THRESHOLD = 0.46  # about half the best F1, for every judge
SIZES = (100, 200, 400, 600, 800)
DRAWS = 5


def documents(kind):
    """Return titles, abstracts, labels, confidences and weights."""
    rows = real_data.read_one_by_one(kind, "not starts_with(source, 'papercopilot')")
    titles, abstracts, truth, confidence, weights = (
        list(column) for column in zip(*rows, strict=True)
    )
    return titles, abstracts, np.array(truth), np.array(confidence), np.array(weights)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def words_of(texts, taught, fold):
    """Return words and pairs of words, weighted as in what is taught."""
    weigh = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    weigh.fit([texts[place] for place in np.flatnonzero(taught)])
    return [
        weigh.transform([texts[place] for place in np.flatnonzero(part)]) for part in (taught, fold)
    ]


@pytest.mark.parametrize(("kind", "floor"), [("paper", 0.89), ("patent", 0.92)])
def test_a_head_on_the_outer_encoder_is_the_best_of_the_cheap_judges(kind, floor, capsys):
    titles, abstracts, truth, confidence, weights = documents(kind)
    texts = [f"{read_text(a)} {read_text(b)}" for a, b in zip(titles, abstracts, strict=True)]
    (outer,) = catalogue.load_classifiers(layers=["outer"], document_types=[kind])
    vectors = outer.vectors(titles, abstracts)
    is_accepted = outer.probabilities(outer.logits_of(vectors)) >= outer.threshold
    layers, frozen = unit(vectors).reshape(len(texts), -1), load_encoder().encode(texts)
    part = np.array([hashlib.md5(text.lower().encode()).digest()[0] % FOLDS for text in titles])
    counts = confidence_of(pa.table({"label_confidence": confidence}))
    features = {
        "head on four layers": (1, lambda *parts: [layers[each] for each in parts]),
        "head on the last layer": (1, lambda *parts: [unit(vectors[each, -1]) for each in parts]),
        "frozen vectors": (3, lambda *parts: [frozen[each] for each in parts]),
        "words (TF-IDF)": (10, lambda *parts: words_of(texts, *parts)),
    }

    def by_folds(strength, given, most=None, seed=0):
        found = np.empty(len(texts))
        for each in range(FOLDS):
            fold = part == each
            taught = is_accepted & ~fold
            if most is not None:
                kept = np.random.default_rng([seed, each]).permutation(np.flatnonzero(taught))
                taught = np.isin(np.arange(len(texts)), kept[:most])
            known, unknown = given(taught, fold)
            fitted = LogisticRegression(C=strength, max_iter=5000)
            fitted.fit(known, truth[taught], sample_weight=counts[taught])
            found[fold] = fitted.predict_proba(unknown)[:, 1]
        return found

    def measured(probability):
        said = is_accepted & (probability >= THRESHOLD)
        found = measures.measures_of(truth, said, probability, weights)
        low, high = measures.intervals(truth, said, probability, weights)["f1"]
        return found, f"F1 {found['f1']:.3f} ({low:.3f} to {high:.3f}), " + ", ".join(
            f"{name} {found[name]:.3f}" for name in ("precision", "recall", "average_precision")
        )

    f1 = {}
    with threadpool_limits(1), capsys.disabled():
        sys.stdout.write(f"\n{len(truth)} {kind}s, {truth.sum()} AI\n")
        for name, (strength, given) in features.items():
            found, told = measured(by_folds(strength, given))
            f1[name] = found["f1"]
            sys.stdout.write(f"{name}: {told}\n")
        for most in SIZES:
            drawn = [
                measured(by_folds(1, features["head on four layers"][1], most, seed))[0]["f1"]
                for seed in range(DRAWS)
            ]
            sys.stdout.write(f"taught by {most}: F1 {np.mean(drawn):.3f}\n")
    assert f1["head on four layers"] >= floor
    assert max(f1, key=f1.get) == "head on four layers"
