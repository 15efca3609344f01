"""
What the packaged word filter keeps and refuses of real records that did not teach it.

Records of the split `test`. `pytest -m slow -s` prints every figure with its interval.
"""

import sys

import numpy as np
import pytest

from python_steps.ai_decision.word_filter import load_word_filters
from python_steps.statistics.intervals import wilson
from tests.python_steps.ai_decision.test_packaged_classifiers import (
    IS_TEST,
    classifiers,
    judged,
    records,
)

__all__ = ["classifiers"]  # a fixture

pytestmark = pytest.mark.slow

# Least share that is refused, by source.
BARS = {"cset_arxiv_dev": 0.6, "openalex_synergy": 0.75, "tib_train": 0.25}


def condition(source):
    """What the filter judges: papers in English with an abstract."""
    return f"source = '{source}' and language = 'en' and abstract <> '' and {IS_TEST}"


@pytest.fixture(scope="module")
def papers_filter():
    (found,) = load_word_filters(document_types=["paper"])
    return found


@pytest.mark.parametrize("source", BARS)
def test_of_records_that_are_seldom_ai_most_are_refused(papers_filter, source):
    titles, abstracts, _ = records("paper", condition(source))
    refused = papers_filter.scores(titles, abstracts) < papers_filter.threshold
    low, high = wilson(refused.mean(), len(refused))
    sys.stdout.write(
        f"\n{source}: refuses {refused.mean():.3f} [{low:.3f}, {high:.3f}] of {len(titles):,}\n"
    )
    assert refused.mean() >= BARS[source]


def test_what_both_layers_accept_is_kept(papers_filter, classifiers):
    kept = []
    for source, most in (("arxiv_archive", 500), ("cset_arxiv_dev", 400), ("tib_train", 200)):
        titles, abstracts, _ = records("paper", condition(source), most)
        _, said, _ = judged(classifiers, "paper", titles, abstracts)
        scores = papers_filter.scores(titles, abstracts)
        kept += (scores[said] >= papers_filter.threshold).tolist()
    low, high = wilson(np.mean(kept), len(kept))
    sys.stdout.write(f"\nkeeps {np.mean(kept):.4f} [{low:.4f}, {high:.4f}] of {len(kept):,}\n")
    assert high >= 0.998
