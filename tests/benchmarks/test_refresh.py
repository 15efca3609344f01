"""
What a refresh costs beside a build from nothing.

Both run the nodes from vectors to matches, tests aside, as dbt runs them. Their processor seconds
hold dbt's own start, which is told apart.
"""

import resource

import numpy as np
import pyarrow as pa
import pytest

from tests.end_to_end.test_refresh import Warehouse

pytestmark = pytest.mark.slow

PAPERS, PATENTS, WIDTH = 120_000, 160_000, 384
VARIABLES = "{published_space: title_abstract}"


class Drawn:
    """The first so many of documents whose vectors lie around topics; the others are to come."""

    def __init__(self, share):
        self.share = share

    def table(self):
        tables = []
        for prefix, kind, number, seed in [
            ("W", "paper", PAPERS, 1),
            ("P", "patent", PATENTS, 2),
        ]:
            centres = np.random.default_rng(0).normal(size=(2000, WIDTH)).astype(np.float32)
            random = np.random.default_rng(seed)
            vectors = centres[random.integers(0, len(centres), number)]
            vectors += 1.2 * random.normal(size=vectors.shape).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            # Documents come in no order of their years, which is the harder case.
            years = random.integers(2000, 2025, number).tolist()
            names = [f"{prefix}{place:07d}" for place in range(number)]
            flat = pa.array(vectors.reshape(-1))
            table = pa.table(
                {
                    "space": pa.repeat("title_abstract", number),
                    "document_id": names,
                    "document_type": pa.repeat(kind, number),
                    "year": years,
                    "year_basis": pa.repeat("publication", number),
                    "shard": [f"{place % 16:x}" for place in range(number)],
                    "text_hash": names,
                    "embedding": pa.FixedSizeListArray.from_arrays(flat, WIDTH),
                    "model_version": pa.repeat("a model", number),
                }
            )
            tables.append(table.slice(0, int(self.share * number)))
        return pa.concat_tables(tables)


def processor_seconds(function):
    def spent():
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    started = spent()
    function()
    return spent() - started


def test_a_refresh_of_one_in_a_hundred_costs_a_fraction_of_a_build(report, tmp_path):
    refreshed = Warehouse(tmp_path / "refreshed", width=WIDTH)
    before, after = Drawn(0.99), Drawn(1)
    build = processor_seconds(lambda: refreshed.build(before, variables=VARIABLES))
    refresh = processor_seconds(lambda: refreshed.build(after, variables=VARIABLES))
    again = processor_seconds(lambda: refreshed.build(after, variables=VARIABLES))
    rebuilt = Warehouse(tmp_path / "rebuilt", width=WIDTH)
    whole = processor_seconds(lambda: rebuilt.build(after, variables=VARIABLES))
    ((carried,),) = refreshed.rows(
        "select count(distinct paper_id) from intermediate.int_matches_carried"
    )
    report(
        f"refresh of 1 % of {PAPERS:,} papers and {PATENTS:,} patents, processor seconds",
        build=f"{build:.0f}",
        refresh=f"{refresh:.0f}",
        nothing_changed=f"{again:.0f}",
        build_of_all=f"{whole:.0f}",
        share_of_the_work=f"{(refresh - again) / max(1, whole - again):.3f}",
    )
    assert carried == PAPERS
    assert refreshed.matches() == rebuilt.matches()
    assert refresh - again < 0.2 * (whole - again)
