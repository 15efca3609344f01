"""Mean pointwise mutual information of keyword pairs, the simplest rival of the block model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from python_steps.novelty.evaluation.made_up import Trial, hyperedges_of, node_count_of, years_of
from python_steps.novelty.hyperedges import Hyperedges
from python_steps.novelty.settings import Settings

PAIRS_AT_ONCE = 4_000_000  # 100 MB


def mean_pmi(
    table: pa.Table, trials: Sequence[Trial], settings: Settings
) -> list[dict[str, np.ndarray]]:
    """
    Return the mean pointwise mutual information of the pairs in each document of trials.

    Of keywords i and j it is ``ln((n_ij + .5) / (s_i s_j / 2n + .5))``, where n_ij counts the
    documents of earlier years that hold both, by weight, s_i is the sum of n_ij over j, and n that
    over all pairs. The halves keep a pair that never met from deciding alone.

    Only pairs in documents of trials are counted, so that memory follows the trials and not the
    corpus: 24 bytes a pair.

    Parameters
    ----------
    table
        All documents, as for :func:`evaluate`.
    trials
        In the order of years.
    settings
        Of which `most_nodes` is read.

    Returns
    -------
    list[dict[str, np.ndarray]]
        For each trial, by what the documents are: float64[documents], high where the keywords are
        known to go together.
    """
    width = node_count_of(table)
    documents = [each for trial in trials for each in trial.documents.values()]
    asked = [keys for each in documents for _, keys in _pairs(each, width)]
    counts = _PairCounts(np.unique(np.concatenate(asked)) if asked else np.empty(0, int), width)
    every, years = hyperedges_of(table, settings), years_of(table)
    order = np.argsort(years, kind="stable")
    ends = np.searchsorted(years[order], [trial.year for trial in trials])
    found, start = [], 0
    for trial, end in zip(trials, ends, strict=True):
        counts.add(every.take(order[start:end]))
        start = end
        found.append({name: counts.mean_pmi(each) for name, each in trial.documents.items()})
    return found


class _PairCounts:
    """
    How many documents hold both keywords of pairs that are asked for.

    Attributes
    ----------
    keys
        Pairs, ascending: int64[pairs], lower id * width + higher id.
    together
        n_ij: float64[pairs].
    strength
        s_i: float64[width].
    """

    def __init__(self, keys: np.ndarray, width: int) -> None:
        self.keys, self.width = keys, width
        self.together, self.strength = np.zeros(len(keys)), np.zeros(width)

    def add(self, past: Hyperedges) -> None:
        """Count more documents."""
        partners = np.repeat(past.weights * (past.sizes - 1), past.sizes)
        self.strength += np.bincount(past.nodes, partners, self.width)
        if not len(self.keys):
            return
        for rows, keys in _pairs(past, self.width):
            places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
            is_asked = self.keys[places] == keys
            np.add.at(self.together, places[is_asked], past.weights[rows[is_asked]])

    def mean_pmi(self, documents: Hyperedges) -> np.ndarray:
        """Return the mean over the pairs of each: float64[documents]."""
        summed = np.zeros(len(documents))
        twice_all = float(self.strength.sum()) or 1.0  # 2n: a pair counts at both its ends
        for rows, keys in _pairs(documents, self.width):
            first, second = np.divmod(keys, self.width)
            expected = self.strength[first] * self.strength[second] / twice_all
            together = self.together[np.searchsorted(self.keys, keys)]
            pmi = np.log((together + 0.5) / (expected + 0.5))
            summed += np.bincount(rows, pmi, len(documents))
        return summed / (documents.sizes * (documents.sizes - 1) / 2)


def _pairs(hyperedges: Hyperedges, width: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield hyperedges and their pairs, as lower id * width + higher id, some at a time."""
    for size in np.unique(hyperedges.sizes[hyperedges.sizes >= 2]):
        first, second = np.triu_indices(size, 1)
        members = np.flatnonzero(hyperedges.sizes == size)
        at_once = max(1, PAIRS_AT_ONCE // len(first))
        for start in range(0, len(members), at_once):
            some = members[start : start + at_once]
            places = hyperedges.offsets[some][:, None] + np.arange(size)
            nodes = hyperedges.nodes[places].astype(np.int64)
            yield np.repeat(some, len(first)), (nodes[:, first] * width + nodes[:, second]).ravel()
