"""
What the packaged classifiers are worth on real records that trained none of them.

Judged are records of the split `test` of the sources they learned from, and all or a sample of
sources that they never saw. `pytest -m slow -s` prints every figure with its interval.
"""

import sys

import duckdb
import numpy as np
import pytest

from python_steps.ai_decision import catalogue
from python_steps.ai_decision.evaluation import measures
from tests import real_data

pytestmark = pytest.mark.slow

DRAWS = 1000
# As classifier_examples parts titles; `test` is the last two tenths.
KEY = r"md5(regexp_replace(lower(strip_accents(title)), '[^\p{L}]+', '', 'g'))"
IS_TEST = f"cast('0x' || substring({KEY}, 1, 8) as bigint) % 10 >= 8"
INDEPENDENT = "(label_source like 'cset1790%' or label_source like 'not_cset1790%')"


@pytest.fixture(scope="module")
def classifiers():
    found = catalogue.load_classifiers()
    return {(each.layer, kind): each for each in found for kind in each.document_types}


def records(kind, condition, most=4000):
    """Return titles, abstracts and labels, drawn by the hash of the title."""
    path = real_data.path_of(f"{kind}s.parquet")
    rows = duckdb.sql(
        f"select title, abstract, label_is_ai from '{path}' where label_is_ai is not null "
        f"and {condition} order by {KEY}, id limit {most}"
    ).fetchall()
    titles, abstracts, truth = (list(column) for column in zip(*rows, strict=True))
    return titles, abstracts, np.array(truth, dtype=bool)


def judged(classifiers, kind, titles, abstracts):
    """Return probability and verdict of the two layers together, and the outer one's verdict."""
    outer, inner = classifiers["outer", kind], classifiers["inner", kind]
    probabilities = outer.probabilities(outer.logits(titles, abstracts))
    accepted = probabilities >= outer.threshold
    places = np.flatnonzero(accepted)
    fine = inner.probabilities(
        inner.logits([titles[place] for place in places], [abstracts[place] for place in places])
    )
    said = np.zeros(len(titles), dtype=bool)
    said[places] = fine >= inner.threshold
    probabilities[places] = fine
    return probabilities, said, accepted


def interval(figure, *columns):
    """Return a figure and its 95 % interval by drawing the records anew."""
    random = np.random.default_rng(0)
    count = len(columns[0])
    drawn = []
    for _ in range(DRAWS):
        rows = random.integers(0, count, count)
        drawn.append(figure(*(column[rows] for column in columns)))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return figure(*columns), low, high


def f1(truth, said):
    return 2 * (truth & said).sum() / max(1, truth.sum() + said.sum())


def recall(truth, said):
    return (truth & said).sum() / max(1, truth.sum())


def false_positives(truth, said):
    return (~truth & said).sum() / max(1, (~truth).sum())


@pytest.fixture
def tell(capsys):
    def write(title, **figures):
        cells = ", ".join(
            f"{name.replace('_', ' ')} " + " ".join(f"{value:.3f}" for value in np.atleast_1d(told))
            for name, told in figures.items()
        )
        with capsys.disabled():
            sys.stdout.write(f"\n{title}: {cells}")

    return write


LIBRARIES = f"source = 'tib_train' and {IS_TEST}"
INDEX = f"{INDEPENDENT} and {IS_TEST}"


@pytest.mark.parametrize(
    ("kind", "title", "condition", "floor"),
    [
        ("paper", "arXiv as CSET labels it", f"source = 'cset_arxiv_dev' and {IS_TEST}", 0.82),
        ("paper", "libraries, English", f"{LIBRARIES} and language = 'en'", 0.85),
        ("paper", "libraries, German", f"{LIBRARIES} and language = 'de'", 0),
        ("patent", "CSET 1790, abstracts", f"{INDEX} and abstract is not null", 0.82),
        ("patent", "CSET 1790, titles alone", f"{INDEX} and abstract is null", 0),
    ],
)
def test_f1_on_records_of_the_test_split(classifiers, tell, kind, title, condition, floor):
    titles, abstracts, truth = records(kind, condition)
    probabilities, said, accepted = judged(classifiers, kind, titles, abstracts)
    found = interval(f1, truth, said)
    tell(
        f"{title} ({len(truth)}, {truth.sum()} AI)",
        F1=found,
        precision=(truth & said).sum() / max(1, said.sum()),
        recall=recall(truth, said),
        outer_recall=interval(recall, truth, accepted),
        average_precision=interval(measures.average_precision, truth, probabilities),
        calibration_error=measures.expected_calibration_error(truth, probabilities),
    )
    assert found[0] >= floor


@pytest.mark.parametrize(("kind", "floor"), [("paper", 0.93), ("patent", 0.92)])
def test_f1_on_documents_that_were_read_one_by_one(classifiers, tell, kind, floor):
    rows = real_data.read_one_by_one(kind, IS_TEST)
    titles, abstracts, truth, _, weights = (list(column) for column in zip(*rows, strict=True))
    truth, weights = np.array(truth, dtype=bool), np.array(weights)
    probabilities, said, _ = judged(classifiers, kind, titles, abstracts)
    found = measures.measures_of(truth, said, probabilities, weights)
    bounds = measures.intervals(truth, said, probabilities, weights)
    names = ("f1", "precision", "recall", "average_precision")
    told = {name: (found[name], *bounds[name]) for name in names}
    tell(f"{kind}s read one by one ({len(truth)}, {truth.sum()} AI, weighted)", **told)
    assert found["f1"] >= floor


@pytest.mark.parametrize(("source", "floor"), [("papercopilot", 0.93), ("beese_nlp_ml", 0.9)])
def test_recall_on_sources_that_are_all_ai_and_trained_nothing(classifiers, tell, source, floor):
    titles, abstracts, truth = records("paper", f"source = '{source}'")
    _, said, accepted = judged(classifiers, "paper", titles, abstracts)
    found = interval(recall, truth, said)
    tell(
        f"{source} ({len(truth)})",
        recall=found,
        outer_recall=interval(recall, truth, accepted),
    )
    assert found[0] >= floor


@pytest.mark.parametrize(("source", "ceiling"), [("openalex_synergy", 0.005), ("csl_zh", 1)])
def test_false_positives_on_sources_without_ai_that_trained_nothing(
    classifiers, tell, source, ceiling
):
    titles, abstracts, truth = records("paper", f"source = '{source}'", most=8000)
    _, said, accepted = judged(classifiers, "paper", titles, abstracts)
    found = interval(false_positives, truth, said)
    tell(f"{source} ({len(truth)})", false_positives=found, accepted_by_outer=accepted.mean())
    assert found[0] <= ceiling
