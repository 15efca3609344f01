"""
Quality, speed and growth of the scores of novelty, on streams of the size of real corpora.

Times are processor seconds of this process, which novelty takes on one thread. Everything at once
takes about ten minutes of them and 4 GB of memory, most of it for three million documents:

    pytest -m slow tests/benchmarks/test_novelty.py -s

Every test writes what it measured; the assertions on time leave room for a slow machine.
"""

import json
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from python_steps.engine import progress
from python_steps.novelty import scoring
from python_steps.novelty.block_model import BlockModel
from python_steps.novelty.settings import Settings
from python_steps.novelty.years import walk
from tests import novelty_streams as streams

pytestmark = pytest.mark.slow

SETTINGS = Settings(burn_in_documents=20_000)


@pytest.fixture(autouse=True)
def _silent(monkeypatch):
    monkeypatch.setenv(progress.PROGRESS_VARIABLE, "0")


def judged(stream, settings, every=3):
    """Return mean AUCs over every third scored year, and the model after the last."""
    random = np.random.default_rng(7)
    found = {"degree_matched": [], "planted": []}
    years, seen = np.unique(stream.years), 0
    for step in walk(stream.table, settings):
        model = step.model
        if model is None:
            continue
        seen += 1
        if seen % every and step.year != years[-1]:
            continue
        real = streams.known_part(model, step.hyperedges)
        planted = streams.planted(step.hyperedges, stream.documents_of[step.rows], random)
        others = {
            "degree_matched": streams.degree_matched(real, random),
            "planted": streams.known_part(model, planted),
        }
        for name, unlikely in others.items():
            values = model.surprise(real), model.surprise(unlikely)
            found[name].append(
                streams.auc_by_size(values[0], real.sizes, values[1], unlikely.sizes)
            )
    return {name: float(np.mean(values)) for name, values in found.items()}, model


def agreement(stream, model):
    """Return the normalised mutual information with the communities that made the documents."""
    found = model.communities()
    counted = found >= 0
    truth = stream.keywords_of[: len(found)]
    return streams.mutual_information(found[counted], truth[counted])


def test_what_is_told_of_321_thousand_documents(report):
    stream = streams.dense()
    found, model = judged(stream, SETTINGS)
    nmi = agreement(stream, model)
    report(
        "321,000 documents, 20,000 keywords, 50 communities",
        communities=model.community_count,
        nmi=f"{nmi:.3f}",
        **{name: f"{value:.4f}" for name, value in found.items()},
    )
    assert found["degree_matched"] >= 0.98
    assert found["planted"] >= 0.94
    assert nmi >= 0.97


def test_nothing_is_told_where_nothing_belongs_together(report):
    stream = streams.shuffled(streams.dense())
    found, _ = judged(stream, SETTINGS)
    report("the same, shuffled", degree_matched=f"{found['degree_matched']:.4f}")
    assert 0.48 <= found["degree_matched"] <= 0.52


def test_one_off_keywords_are_what_limits_the_scores(report):
    for share in (0.0, 0.5, 0.8):
        stream = streams.drifting(100_000, 10_000, 50, stray=0.08, mixed=0.02, one_off=share)
        found, _ = judged(stream, Settings())
        scored = scoring.score(stream.table, settings=Settings())
        is_scored = scored.column("novelty").is_valid().to_numpy()
        ended = ~np.isin(scored.column("reason").to_numpy(zero_copy_only=False), ["burn_in"])
        report(
            f"{share:.0%} of the occurrences one-off",
            scored=f"{is_scored.sum() / ended.sum():.2f}",
            **{name: f"{value:.3f}" for name, value in found.items()},
        )
        if not share:
            first = found["planted"]
    assert found["planted"] < first


@pytest.mark.parametrize("name", ["dense", "sparse"])
@pytest.mark.parametrize("communities", [64, 128])
def test_documents_a_second(report, name, communities):
    stream = getattr(streams, name)()
    settings = replace(SETTINGS, communities=communities, fit_sweeps=8)
    is_first = stream.years <= np.quantile(stream.years, 0.5)
    first, later = (stream.hyperedges.take(part) for part in (is_first, ~is_first))
    years = stream.years[~is_first]
    started = time.process_time()
    model = BlockModel.fit(first, stream.years[is_first], settings)
    fit = time.process_time() - started
    model.reserve(len(stream.keywords_of))
    learn = score = 0.0
    for year in np.unique(years):
        edges = later.take(years == year)
        started = time.process_time()
        model.surprise(edges)
        score += time.process_time() - started
        started = time.process_time()
        model.learn(edges, int(year))
        learn += time.process_time() - started
    report(
        f"{name} stream, {communities} communities, documents a processor second",
        score=f"{len(later) / score:,.0f}",
        learn=f"{len(later) / learn:,.0f}",
        fit=f"{len(first) / fit:,.0f} at {settings.fit_sweeps} sweeps",
    )
    assert len(later) / score > 50_000
    assert len(later) / learn > 10_000


# In a process of its own, so that the peak of its memory is that of the scores.
SCORED = """
import json, resource, sys, time
from python_steps.novelty import scoring
from python_steps.novelty.settings import Settings
from tests import novelty_streams as streams
documents, keywords = map(int, sys.argv[1:])
table = streams.drifting(documents, keywords, 100, stray=.08, mixed=.02).table
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.process_time()
found = scoring.score(table, settings=Settings())
seconds = time.process_time() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([seconds, before / 1024, peak / 1024, found.column("novelty").null_count]))
"""


def scored(documents, keywords):
    run = subprocess.run(
        [sys.executable, "-c", SCORED, str(documents), str(keywords)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_time_and_memory_grow_no_faster_than_the_documents(report):
    # Keywords grow with the documents, as the square root of both (Heaps' law) or faster.
    sizes = [100_000, 300_000, 1_000_000, 3_000_000]
    seconds = []
    for documents in sizes:
        keywords = int(300_000 * (documents / 869_000) ** 0.7)
        took, before, peak, unscored = scored(documents, keywords)
        seconds.append(took)
        report(
            f"{documents:,} documents, {keywords:,} keywords",
            processor_seconds=f"{took:.1f}",
            documents_a_second=f"{documents / took:,.0f}",
            peak_memory_MB=f"{peak:,.0f}",
            of_it_the_stream=f"{before:,.0f}",
            unscored=f"{unscored:,}",
        )
    exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    report("seconds grow as documents to the power of", exponent=f"{exponent:.2f}")
    assert exponent < 1.3
