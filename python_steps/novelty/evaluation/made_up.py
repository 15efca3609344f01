"""Make up documents that hold each keyword as often as real ones do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.novelty.block_model import BlockModel
from python_steps.novelty.evaluation.options import DEGREE_MATCHED, ONE_REPLACED, REAL, UNIFORM
from python_steps.novelty.hyperedges import Hyperedges
from python_steps.novelty.settings import Settings

# Each proposes a switch for every keyword; after two, most keywords of a usual year have moved.
ROUNDS_OF_SWITCHING = 20
ROUNDS_OF_DRAWING = 50
SMALLEST_PLANTED = 4  # two keywords from each side, the fewest that show their communities


# Unrelated communities share keywords at most so often, as a share of what chance would give.
MOST_RELATED = 0.5
NUMBERS_DRAWN_AT_ONCE = 1_000_000  # 8 MB


@dataclass(frozen=True)
class MadeUp:
    """
    Documents that nobody wrote.

    Attributes
    ----------
    documents
        Their keywords.
    origins
        The real documents that they are held against, those that they were made of: int64, places
        among the real ones, ascending.
    """

    documents: Hyperedges
    origins: np.ndarray


@dataclass(frozen=True)
class Trial:
    """
    Documents of a year, real and made up, and how much they surprise given the years before.

    Attributes
    ----------
    year
        The year.
    real
        Documents, of keywords that are known.
    made_up
        Others, by one of :data:`WAYS`.
    surprise
        Of all of them, by way, and :data:`REAL`: float64[documents], nats.
    """

    year: int
    real: Hyperedges
    made_up: Mapping[str, MadeUp]
    surprise: Mapping[str, np.ndarray]

    @property
    def documents(self) -> dict[str, Hyperedges]:
        """All of them, by way, and :data:`REAL`."""
        return {REAL: self.real} | {way: each.documents for way, each in self.made_up.items()}


def made_up(
    way: str,
    real: Hyperedges,
    known: np.ndarray,
    model: BlockModel,
    random: np.random.Generator,
) -> MadeUp:
    """
    Make up documents of the sizes of real ones.

    Parameters
    ----------
    way
        `degree_matched`: the keywords of the real documents dealt again, see :func:`switched`.
        `one_replaced`: real documents with one keyword exchanged for another, as likely as it is
        frequent in the real ones. `uniform`: of keywords that are known, each equally likely, as
        Shi & Evans do. `planted`: half the keywords of each of two documents of one size, four or
        more, of communities that hardly ever meet, see :func:`unrelated`; compared with these two.
    real
        Documents of one year, of keywords that are known, two or more in each.
    known
        Ids of the keywords that are known: integers of shape [known].
    model
        What was known before the year; `planted` takes its communities from it.
    random
        Source of chance.

    Returns
    -------
    MadeUp
        At most as many documents. Fewer where there is no other document of a size, as where one
        holds all keywords of its year.
    """
    every = np.arange(len(real))
    if not len(real):
        return MadeUp(real, every)
    if way == DEGREE_MATCHED:
        return MadeUp(switched(real, random), every)
    if way == ONE_REPLACED:
        return _redrawn(real, real.offsets[:-1] + random.integers(real.sizes), real.nodes, random)
    if way == UNIFORM:
        return _redrawn(real, np.arange(len(real.nodes)), known, random)
    return _planted(real, model, random)


def switched(real: Hyperedges, random: np.random.Generator) -> Hyperedges:
    """
    Deal keywords again, so that documents keep their sizes and keywords their numbers of documents.

    Pairs of documents exchange a keyword each, unless one of them would hold it twice: the
    switching of Uzzi et al. 2013 (Science 342:468), here between documents and keywords. Costs 20
    sorts of all occurrences.
    """
    rows, nodes = _rows(real), real.nodes.astype(np.int64)
    width = int(nodes.max(initial=0)) + 1
    half = len(nodes) // 2
    for _ in range(ROUNDS_OF_SWITCHING):
        order = random.permutation(len(nodes))
        partner = np.arange(len(nodes))
        partner[order[:half]] = order[half : 2 * half]
        partner[order[half : 2 * half]] = order[:half]
        proposed = nodes[partner]
        # What brings a keyword twice is taken back, and then what that brings twice. It ends, since
        # each round takes something back and what all began with was sound.
        while (bad := _is_twice(rows * width + proposed) & (proposed != nodes)).any():
            back = np.flatnonzero(bad)
            back = np.concatenate([back, partner[back]])
            proposed[back] = nodes[back]
        nodes = proposed
    return _ascending(Hyperedges(real.offsets, nodes.astype(np.int32), real.weights))


def shuffled(table: pa.Table, settings: Settings, random: np.random.Generator) -> pa.Table:
    """
    Return all documents with the keywords of each year dealt again, see :func:`switched`.

    Parameters
    ----------
    table
        As for :func:`evaluate`, in the order of years.
    settings
        Of which `most_nodes` is read.
    random
        Source of chance.
    """
    every, years = hyperedges_of(table, settings), years_of(table)
    dealt = [switched(every.take(years == year), random).nodes for year in np.unique(years)]
    lists = pa.LargeListArray.from_arrays(every.offsets, np.concatenate(dealt))
    return table.set_column(table.schema.get_field_index("nodes"), "nodes", lists)


def _redrawn(
    real: Hyperedges, places: np.ndarray, pool: np.ndarray, random: np.random.Generator
) -> MadeUp:
    """Return documents with other keywords in some places, where there are others."""
    rows, nodes = _rows(real), real.nodes.astype(np.int64)
    width = int(max(pool.max(), nodes.max())) + 1
    is_free = np.zeros(len(nodes), bool)
    is_free[places] = True
    for _ in range(ROUNDS_OF_DRAWING):
        nodes[places] = pool[random.integers(len(pool), size=len(places))]
        places = np.flatnonzero(_is_twice(rows * width + nodes) & is_free)
        if not len(places):
            break
    is_other = np.bincount(rows, nodes != real.nodes, len(real)) > 0
    is_other[rows[places]] = False  # those in which a keyword still stands twice
    changed = Hyperedges(real.offsets, nodes.astype(np.int32), real.weights)
    return MadeUp(_ascending(changed.take(is_other)), np.flatnonzero(is_other))


def _planted(real: Hyperedges, model: BlockModel, random: np.random.Generator) -> MadeUp:
    """Join halves of documents of one size, from communities that hardly ever meet this year."""
    community_of = communities_of(real, model)
    are_unrelated = unrelated(real, community_of, model.communities(), model.community_count)
    joined, origins = [], [np.empty(0, np.int64)]
    for size in np.unique(real.sizes[real.sizes >= SMALLEST_PLANTED]):
        members = random.permutation(np.flatnonzero(real.sizes == size))
        pairs = np.stack([members, np.roll(members, 1)], axis=1)
        pairs = pairs[are_unrelated[community_of[pairs[:, 0]], community_of[pairs[:, 1]]]]
        nodes = real.nodes[real.offsets[pairs][:, :, None] + np.arange(size)]
        nodes = random.permuted(nodes, axis=2)
        half = int(size) // 2
        mixed = np.sort(np.concatenate([nodes[:, 0, :half], nodes[:, 1, half:]], axis=1), axis=1)
        is_whole = (np.diff(mixed, axis=1) > 0).all(axis=1)
        joined.append(mixed[is_whole])
        origins.append(pairs[is_whole].ravel())
    counts = np.concatenate([[0], *(np.full(len(each), each.shape[1]) for each in joined)])
    flat = np.concatenate([np.empty(0, np.int32), *(each.ravel() for each in joined)])
    documents = Hyperedges(np.cumsum(counts, dtype=np.int64), flat, np.ones(len(counts) - 1))
    return MadeUp(documents, np.unique(np.concatenate(origins)))


def communities_of(documents: Hyperedges, model: BlockModel) -> np.ndarray:
    """Return the likeliest community of each document, int64; one keyword or more in each."""
    nodes, places = np.unique(documents.nodes, return_inverse=True)
    background = model.settings.background
    ratios = background + (1 - background) * model.theta(nodes) / model.token_shares
    logs = np.log(ratios)
    found = np.empty(len(documents), np.int64)
    at_once = max(
        1, NUMBERS_DRAWN_AT_ONCE // (model.community_count * int(documents.sizes.max(initial=1)))
    )
    for start in range(0, len(documents), at_once):
        offsets = documents.offsets[start : start + at_once + 1]
        some = logs[places[offsets[0] : offsets[-1]]]
        sums = np.add.reduceat(some, offsets[:-1] - offsets[0], axis=0)
        found[start : start + len(sums)] = (sums + np.log(model.pi)).argmax(axis=1)
    return found


def unrelated(
    documents: Hyperedges, community_of: np.ndarray, communities: np.ndarray, count: int
) -> np.ndarray:
    """
    Return pairs of communities that share keywords at most half as often as by chance.

    Parameters
    ----------
    documents
        Real ones of a year.
    community_of
        Community of each document: integers of shape [documents].
    communities
        Community of each keyword, -1 for none: integers by id.
    count
        Communities there are.

    Returns
    -------
    np.ndarray
        bool[count, count], the same both ways; no community is unrelated to itself.
    """
    of_node = communities[documents.nodes]
    has_community = of_node >= 0
    cells = community_of[_rows(documents)[has_community]] * count + of_node[has_community]
    held = np.bincount(cells, minlength=count**2).reshape(count, count).astype(np.float64)
    expected = np.outer(held.sum(axis=1), held.sum(axis=0)) / max(1.0, held.sum())
    is_rare = held <= MOST_RELATED * expected
    return is_rare & is_rare.T & ~np.eye(count, dtype=bool)


def _rows(hyperedges: Hyperedges) -> np.ndarray:
    """Return the hyperedge of each occurrence, int64."""
    return np.repeat(np.arange(len(hyperedges), dtype=np.int64), hyperedges.sizes)


def _is_twice(keys: np.ndarray) -> np.ndarray:
    """Tell which keys have an equal."""
    order = np.argsort(keys, kind="stable")
    equal = keys[order][1:] == keys[order][:-1]
    found = np.zeros(len(keys), bool)
    found[order[1:][equal]] = True
    found[order[:-1][equal]] = True
    return found


def _ascending(hyperedges: Hyperedges) -> Hyperedges:
    order = np.lexsort([hyperedges.nodes, _rows(hyperedges)])
    return Hyperedges(hyperedges.offsets, hyperedges.nodes[order], hyperedges.weights)


def hyperedges_of(table: pa.Table, settings: Settings) -> Hyperedges:
    """Return the documents of a table as hyperedges."""
    columns = (table.column(name) for name in ("nodes", "weight"))
    return Hyperedges.from_arrow(*columns, most_nodes=settings.most_nodes)


def node_count_of(table: pa.Table) -> int:
    """Return one more than the highest node number."""
    return int(pc.max(pc.list_flatten(table.column("nodes"))).as_py() or 0) + 1


def years_of(table: pa.Table) -> np.ndarray:
    """Return the years of documents: int64 of shape [documents]."""
    return table.column("year").to_numpy().astype(np.int64)
