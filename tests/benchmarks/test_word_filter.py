"""
Speed of the word filter, and what classifying costs with it.

Times are processor seconds of this process, on records of the split `test`.
"""

import numpy as np
import pytest
import torch

from python_steps.ai_decision.catalogue import load_classifiers
from python_steps.ai_decision.word_filter import load_word_filters
from tests.benchmarks.conftest import processor_seconds
from tests.python_steps.ai_decision.test_packaged_classifiers import IS_TEST, judged, records

pytestmark = pytest.mark.slow

AUDITED = 50  # one in 50 refused documents is audited, so it goes on to the layers


@pytest.fixture(scope="module")
def papers_filter():
    (found,) = load_word_filters(document_types=["paper"])
    found.scores(["warm"], ["up"])
    return found


def test_documents_per_processor_second(papers_filter, report):
    titles, abstracts, _ = records("paper", f"source = 'cset_arxiv_dev' and {IS_TEST}")
    rates = []
    for _ in range(5):
        seconds, _ = processor_seconds(lambda: papers_filter.scores(titles, abstracts))
        rates.append(len(titles) / seconds)
    report("word filter", documents=len(titles), best=f"{max(rates):,.0f}/s",
           median=f"{np.median(rates):,.0f}/s")  # fmt: skip
    # Half of what is asked of a machine of its own: others work beside.
    assert max(rates) > 2500


def test_classifying_medical_and_library_records_behind_the_filter(papers_filter, report):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    layers = load_classifiers(document_types=["paper"], device="cpu")
    classifiers = {(each.layer, "paper"): each for each in layers}
    judged(classifiers, "paper", ["warm"], ["up"])
    before = after = 0
    for source in ("openalex_synergy", "tib_train"):
        condition = f"source = '{source}' and language = 'en' and abstract <> '' and {IS_TEST}"
        titles, abstracts, _ = records("paper", condition, most=240)
        whole, _ = processor_seconds(lambda t=titles, a=abstracts: layer_logits(layers, t, a))
        filtering, scores = processor_seconds(
            lambda t=titles, a=abstracts: papers_filter.scores(t, a)
        )
        passed = scores >= papers_filter.threshold
        places = [*np.flatnonzero(passed), *np.flatnonzero(~passed)[::AUDITED]]
        rest = [titles[each] for each in places], [abstracts[each] for each in places]
        judging, _ = processor_seconds(lambda rest=rest: layer_logits(layers, *rest))
        report(source, documents=len(titles), passed=f"{passed.mean():.3f}",
               ratio=f"{(filtering + judging) / whole:.3f}")  # fmt: skip
        before, after = before + whole, after + filtering + judging
    torch.set_num_threads(threads)
    report("both together", ratio=f"{after / before:.3f}")
    assert after / before <= 0.45


def layer_logits(layers, titles, abstracts):
    """Judge in both layers on one pass of their encoder, as a build does."""
    vectors = layers[0].vectors(titles, abstracts)
    return [each.logits_of(vectors) for each in layers]
