"""How many records of one paper are found, and how many of other papers are joined with them."""

from pathlib import Path

import pytest

from tests.benchmarks import identity
from tests.real_data import path_of


def test_hard_pairs_are_judged_as_by_hand(tmp_path: Path):
    measured, otherwise = [], []
    for number, pairs in enumerate(identity.batches(identity.hard_pairs())):
        counts, wrong = identity.judged(pairs, tmp_path / str(number))
        measured.append(counts)
        otherwise += wrong
    counts = identity.added(measured)
    print("\n".join(identity.report(counts)))  # noqa: T201
    print(*otherwise, sep="\n")  # noqa: T201
    assert identity.precision(counts)[0] >= 0.97
    assert identity.recall(counts)[0] >= 0.9
    assert sum(count[1] for count in counts.values()) >= 100


@pytest.mark.slow
def test_pairs_of_the_same_work_are_joined_and_no_others(tmp_path: Path):
    counts, _ = identity.judged(identity.same_work(path_of("pairs_same_work.parquet")), tmp_path)
    print("\n".join(identity.report(counts)))  # noqa: T201
    assert identity.precision(counts)[0] >= 0.99
    assert identity.recall(counts)[0] >= 0.8
    joined, whole = counts["preprint_vs_venue", True]
    assert joined / whole >= 0.9
    assert counts["near_title_other_paper", False][0] == 0
