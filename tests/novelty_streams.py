"""
Streams of documents whose communities are known, to hold scores of novelty against.

A document is of one community, or a few of two. A community draws from its own keywords, the
commoner ones more often (Zipf's law), and now and then from those of any. The vocabulary grows from
year to year, young keywords are met more often than old ones, and so the words of a community
drift: what a corpus does, with the truth beside it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from python_steps.novelty.hyperedges import Hyperedges

FIRST_YEAR = 2000


@dataclass(frozen=True, eq=False)
class Stream:
    """
    Documents ordered by year.

    Attributes
    ----------
    years
        int32[documents], ascending.
    hyperedges
        Their keywords; ids ascend with the year in which a keyword is first met.
    documents_of
        int32[documents], the community of each.
    keywords_of
        int32[keywords], the community of each.
    is_merged
        bool[documents], of the field in which two communities have met.
    """

    years: np.ndarray
    hyperedges: Hyperedges
    documents_of: np.ndarray
    keywords_of: np.ndarray
    is_merged: np.ndarray

    @property
    def table(self) -> pa.Table:
        """Rows of one corpus, as novelty takes them."""
        return table_of(self.years, self.hyperedges)


def table_of(years, hyperedges, *, corpus="paper_content", names=None) -> pa.Table:
    """Return hyperedges as rows of one corpus, named by their position unless names are given."""
    names = names or [f"W{row:08d}" for row in range(len(hyperedges))]
    offsets = pa.array(hyperedges.offsets.astype(np.int32))
    return pa.table(
        {
            "corpus": pa.array([corpus] * len(names), pa.string()),
            "document_id": pa.array(names, pa.string()),
            "hyperedge_id": pa.array([f"content:{name}" for name in names], pa.string()),
            "year": pa.array(years, pa.int32()),
            "nodes": pa.ListArray.from_arrays(offsets, pa.array(hyperedges.nodes, pa.int32())),
            "weight": pa.array(hyperedges.weights, pa.float64()),
        }
    )


def hyperedges_of(lists) -> Hyperedges:
    """Return lists of node ids as hyperedges of weight one."""
    return Hyperedges.from_arrow(pa.array(lists, pa.list_(pa.int32())))


def drifting(
    documents: int,
    keywords: int,
    communities: int,
    *,
    years: int = 20,
    growth: float = 1.08,
    first_vocabulary: float = 0.4,
    stray: float = 0.1,
    mixed: float = 0.05,
    fading: float = 0.05,
    merged: tuple[int, int, int] | None = None,
    one_off: float = 0.0,
    seed: int = 0,
) -> Stream:
    """
    Draw documents of communities whose vocabularies grow.

    Parameters
    ----------
    documents, keywords, communities, years
        How many; the years begin with 2000.
    growth
        Documents of a year over those of the year before.
    first_vocabulary
        Share of the keywords that is there in the first year; the rest comes evenly.
    stray
        Share of occurrences drawn from the keywords of any community.
    mixed
        Share of documents of two communities.
    fading
        How much less a keyword is met for every year of its age.
    merged
        Two communities and the year (counted from 0) from which on half of their documents are of
        a new field, which draws from a part of the keywords of both.
    one_off
        Share of occurrences replaced by keywords that no other document has.
    """
    random = np.random.default_rng(seed)
    sizes = random.dirichlet(np.full(communities, 5.0))
    others = random.choice(communities, keywords - communities, p=sizes)
    of = np.sort(np.concatenate([np.arange(communities), others]))
    born = np.where(
        random.random(keywords) < first_vocabulary, 0, random.integers(1, years, keywords)
    )
    ends = np.searchsorted(of, np.arange(communities + 1))
    rank = np.empty(keywords)
    for start, end in itertools.pairwise(ends):
        born[start] = 0  # no community is ever without a keyword
        rank[start:end] = random.permutation(end - start) + 1
    popularity = 1 / (rank + 5)
    shares = random.dirichlet(np.full(communities, 10.0))
    per_year = growth ** np.arange(years)
    per_year = np.floor(documents * per_year / per_year.sum()).astype(int)
    per_year[-1] += documents - per_year.sum()
    found = []
    for year, count in enumerate(per_year):
        weight = np.where(born <= year, popularity * np.exp(-fading * (year - born)), 0)
        reached = np.concatenate([[0], np.cumsum(weight)])
        first = random.choice(communities, count, p=shares)
        second = np.where(
            random.random(count) < mixed, random.choice(communities, count, p=shares), first
        )
        of_merged = np.zeros(count, bool)
        if merged and year >= merged[2]:
            of_merged = np.isin(first, merged[:2]) & (random.random(count) < 1 / 2)
            first, second = np.where(of_merged, [[merged[0]], [merged[1]]], [first, second])
        sizes = 2 + random.poisson(2.6, count)
        rows = np.repeat(np.arange(count), sizes)
        community = np.where(random.random(len(rows)) < 1 / 2, first[rows], second[rows])
        low, high = reached[ends[community]], reached[ends[community + 1]]
        # Of what its communities know, a field takes up a part.
        high = np.where(of_merged[rows], low + (high - low) / 5, high)
        is_stray = random.random(len(rows)) < stray
        low, high = np.where(is_stray, 0, low), np.where(is_stray, reached[-1], high)
        drawn = np.searchsorted(reached, low + (high - low) * random.random(len(rows)), "right") - 1
        drawn = np.minimum(drawn, keywords - 1)
        if one_off:
            drawn = np.where(random.random(len(rows)) < one_off, -1, drawn)
        found.append((np.full(count, FIRST_YEAR + year), sizes, drawn, first, of_merged))
    of_years, sizes, drawn, documents_of, is_merged = map(np.concatenate, zip(*found, strict=True))
    alone = np.flatnonzero(drawn < 0)
    drawn[alone] = keywords + np.arange(len(alone))
    rows = np.repeat(np.arange(len(sizes)), sizes)
    of = np.concatenate([of, documents_of[rows[alone]]])
    # Numbered as they are met, so that leaving out the last years changes no number.
    never = FIRST_YEAR + years
    met = np.full(len(of), never)
    np.minimum.at(met, drawn, of_years[rows])
    order = np.argsort(met, kind="stable")[: np.count_nonzero(met < never)]
    number = np.empty(len(of), np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(number[drawn]))
    return Stream(
        of_years.astype(np.int32),
        Hyperedges.from_arrow(lists),
        documents_of.astype(np.int32),
        of[order].astype(np.int32),
        is_merged,
    )


def dense(seed: int = 0) -> Stream:
    """Return 321 thousand documents of 20 thousand keywords in 50 communities."""
    return drifting(321_000, 20_000, 50, seed=seed, stray=0.08, mixed=0.02)


def sparse(seed: int = 0) -> Stream:
    """Return 869 thousand documents of 300 thousand keywords in 100 communities."""
    return drifting(869_000, 300_000, 100, seed=seed, stray=0.08, mixed=0.02)


def triples(
    documents: int, *, groups: int = 4, keywords: int = 20, years: int = 4, seed: int = 0
) -> tuple[Stream, Hyperedges, Hyperedges]:
    """
    Draw documents among whose keywords there are triples that never meet though their pairs do.

    A group has three vocabularies, and a community for any two of them. Its documents hold two
    keywords of the one vocabulary and one of the other, by which a pair within a vocabulary is as
    frequent as one across; and two keywords of the community's own, by which it can be found.

    Returns
    -------
    tuple[Stream, Hyperedges, Hyperedges]
        The documents; a thousand triples of two vocabularies; a thousand across all three.
    """
    random = np.random.default_rng(seed)

    def of_two(count: int) -> tuple[np.ndarray, np.ndarray]:
        community = random.integers(0, groups * 3, count)
        turned = random.integers(0, 2, count)
        twice, once = (community + turned) % 3, (community + 1 - turned) % 3
        first = random.integers(0, keywords, count)
        second = (first + random.integers(1, keywords, count)) % keywords
        third = random.integers(0, keywords, count)
        vocabulary = np.stack([twice, twice, once], axis=1) + (community // 3 * 3)[:, None]
        return vocabulary * keywords + np.stack([first, second, third], axis=1), community

    nodes, community = of_two(documents)
    own = groups * 3 + community
    own_first = random.integers(0, keywords, documents)
    own_second = (own_first + random.integers(1, keywords, documents)) % keywords
    own_nodes = own[:, None] * keywords + np.stack([own_first, own_second], axis=1)
    across = np.arange(3) + random.integers(0, groups, (1000, 1)) * 3
    across = across * keywords + random.integers(0, keywords, (1000, 3))
    of_years = np.sort(random.integers(0, years, documents)) + FIRST_YEAR
    stream = Stream(
        of_years.astype(np.int32),
        hyperedges_of(np.concatenate([nodes, own_nodes], axis=1).tolist()),
        community.astype(np.int32),
        np.repeat(np.arange(groups * 6, dtype=np.int32), keywords),
        np.zeros(documents, bool),
    )
    return stream, hyperedges_of(of_two(1000)[0].tolist()), hyperedges_of(across.tolist())


def mean_pmi(past: Hyperedges, hyperedges: Hyperedges) -> np.ndarray:
    """
    Return the mean pointwise mutual information of the pairs in hyperedges, float64[hyperedges].

    ``ln((n_ij + .5) / (s_i s_j / 2n + .5))`` of the n documents of the past. Takes memory for the
    square of the number of nodes: for small vocabularies.
    """
    nodes = 1 + max(int(past.nodes.max()), int(hyperedges.nodes.max()))
    held = np.zeros((len(past), nodes))
    held[np.repeat(np.arange(len(past)), past.sizes), past.nodes] = 1
    together, single = held.T @ held, held.sum(axis=0)
    values = np.log((together + 0.5) / (np.outer(single, single) / (2 * len(past)) + 0.5))
    return np.array(
        [
            values[np.ix_(of, of)][np.triu_indices(len(of), 1)].mean()
            for of in np.split(hyperedges.nodes, hyperedges.offsets[1:-1])
        ]
    )


def degree_matched(hyperedges: Hyperedges, random: np.random.Generator) -> Hyperedges:
    """Return as many sets of the same sizes, of distinct nodes drawn as often as they occur."""
    rows = np.repeat(np.arange(len(hyperedges)), hyperedges.sizes)
    nodes = random.permutation(hyperedges.nodes)
    for _ in range(1000):
        order = np.lexsort((nodes, rows))
        twice = order[1:][
            (np.diff(rows[order]) == 0) & (np.diff(nodes[order].astype(np.int64)) == 0)
        ]
        if not len(twice):
            break
        nodes[twice] = random.choice(hyperedges.nodes, len(twice))
    return Hyperedges(hyperedges.offsets, nodes[order], hyperedges.weights)


def shuffled(stream: Stream, seed: int = 0) -> Stream:
    """Return a stream of the same sizes and keywords a year in which nothing belongs together."""
    random = np.random.default_rng(seed)
    parts = [
        degree_matched(stream.hyperedges.take(stream.years == year), random)
        for year in np.unique(stream.years)
    ]
    nodes = np.concatenate([part.nodes for part in parts])
    hyperedges = Hyperedges(stream.hyperedges.offsets, nodes, stream.hyperedges.weights)
    return Stream(
        stream.years, hyperedges, stream.documents_of, stream.keywords_of, stream.is_merged
    )


def planted(
    hyperedges: Hyperedges, documents_of: np.ndarray, random: np.random.Generator
) -> Hyperedges:
    """
    Return sets made of halves of two documents of different communities.

    Each has the size of the document that gives the first half, where the other is large enough.
    """
    partners = random.permutation(len(hyperedges))
    lists = []
    for row, partner in enumerate(partners):
        if documents_of[row] == documents_of[partner]:
            continue
        here, there = (
            hyperedges.nodes[hyperedges.offsets[at] : hyperedges.offsets[at + 1]]
            for at in (row, partner)
        )
        most = len(here) - len(here) // 2
        half = random.permutation(here)[: len(here) // 2]
        other = random.permutation(np.setdiff1d(there, half))[:most]
        if len(half) + len(other) >= 2:
            lists.append(np.concatenate([half, other]).tolist())
    return hyperedges_of(lists)


def known_part(model, hyperedges: Hyperedges) -> Hyperedges:
    """Return the known nodes of the hyperedges that have two or more."""
    known = hyperedges.where(model.is_known(hyperedges.nodes))
    return known.take(known.sizes >= 2)


def auc(ordinary: np.ndarray, unlikely: np.ndarray) -> float:
    """Return how often an unlikely one has the higher score, ties counting half."""
    scores = np.concatenate([ordinary, unlikely])
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place][len(ordinary) :]
    least = len(unlikely) * (len(unlikely) + 1) / 2
    return float((ranks.sum() - least) / (len(ordinary) * len(unlikely)))


def auc_by_size(
    ordinary: np.ndarray, sizes: np.ndarray, unlikely: np.ndarray, unlikely_sizes: np.ndarray
) -> float:
    """Return the mean AUC among sets of one size, weighted by the fewer of each."""
    values, weights = [], []
    for size in np.intersect1d(sizes, unlikely_sizes):
        some, others = ordinary[sizes == size], unlikely[unlikely_sizes == size]
        values.append(auc(some, others))
        weights.append(min(len(some), len(others)))
    return float(np.average(values, weights=weights))


def mutual_information(one: np.ndarray, other: np.ndarray) -> float:
    """Return the normalised mutual information of two partitions, by the mean of entropies."""
    joint = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(joint, (one, other), 1 / len(one))
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)

    def entropy(shares: np.ndarray) -> float:
        shares = shares[shares > 0]
        return float(-(shares * np.log(shares)).sum())

    together = entropy(joint.ravel())
    return 2 * (entropy(rows) + entropy(columns) - together) / (entropy(rows) + entropy(columns))
