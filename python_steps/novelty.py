"""
Score how unlikely the combination of a document's keywords was before its year.

A corpus is a hypergraph that grows by a year at a time: a document is a hyperedge, its keywords (or
classes) are the nodes. A document is of one of K communities d, with probability pi_d, and draws
its nodes from it one by one. Node i, of popularity p_i, is drawn with probability p_i r_id,

    r_id = eps + (1 - eps) theta_id / p_d

where theta_id is the share of community d in the soft counts C_id of the node, p_d that share in
the counts of all nodes, and eps a leak by which any node may stand in any document. Without the p_i
what is left of the likelihood compares a document with one of equally popular nodes that were drawn
apart from each other:

    lift     = sum_d pi_d prod_i r_id            (i: the m known nodes)
    surprise = -ln lift                          (nats; comparable between documents of one size)
    novelty  = 1 / (1 + lift^(1 / (m - 1)))      (0 to 1; 1/2: as likely as chance)

The surprise is that of Shi & Evans 2023 (Nature Communications 14:1641, "Surprising combinations of
research contents and contexts"), the likelihood of their family. Summed over all hyperedges of a
size its normaliser has a closed form, so that it is maximised as a mixture is (expectation
maximisation, Dempster, Laird & Rubin 1977), without hyperedges sampled to be absent:

    E:  q_hd ~ pi_d prod_{i in h} r_id
    M:  C_id = C_id of before + (1 - eps / r_id) sum_{h with i} w_h q_hd

In these rounds a node that few documents hold would vouch for each of them by what it has from
them: `discount` is taken off the count of every node (absolute discounting, Ney, Essen & Kneser
1994), and `learning_smoothing` draws it to the shares of all nodes.

A year is scored by what was learned from the years before it, and learned after that; counts fade
by `decay` a year. The first years, with `burn_in_documents` documents at least, are not scored.
They are fitted together from a random start, and so are all years so far whenever the documents
have doubled, up to `settled_documents`: communities found among few documents are poor, and no
later year would part with them.

A year costs O(sweeps * occurrences * K), an occurrence being a node in a document, and touches the
rows of the nodes active in it; all fits together cost O(2 * fit_sweeps * occurrences of the last *
K), whatever comes after. Memory is nodes * K float32 (1 million keywords and 128 communities: 512
MB), five times that for the nodes of a year or a fit while these are learned, and about 100 MB for
a batch of documents. Everything runs on one thread in an order that the data alone decide: equal
rows give equal bits, whatever years follow.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from python_steps import storage, tables, transformer
from python_steps.engine import PROGRESS_VARIABLE, SECONDS_BETWEEN_PLAIN_LINES

if TYPE_CHECKING:
    import torch

# Part of every version: raise it with any change that changes a bit of a score.
CODE_VERSION = 1

BURN_IN = "burn_in"
FEWER_THAN_TWO_NODES = "fewer_than_two_nodes"
FEWER_THAN_TWO_KNOWN_NODES = "fewer_than_two_known_nodes"

# Communities where their number is left open: for fewer documents than this, so many. On 62
# thousand papers and 25 thousand patents, 16 and 32 told the next year's documents from chance
# best, and 32 and 64 held them likeliest (16 to 128 tried).
COMMUNITIES = ((50_000, 32), (250_000, 64), (float("inf"), 128))

DOCUMENTS_PER_BATCH = 65_536
# How much a corpus has grown when it is fitted as a whole again.
GROWTH = 2
# Power of the likelihood in the first sweep of a fit; it rises evenly to the last, but not above
# one (deterministic annealing, Ueda & Nakano 1998). On real keywords that is worth .07 of the AUC.
FIRST_POWER, LAST_POWER = 0.2, 1.3


@dataclass(frozen=True)
class Settings:
    """
    What decides the scores besides the hyperedges.

    Defaults come from keywords of 62 thousand papers and 25 thousand patents: how well next year's
    documents were told from sets of equally popular keywords, and how likely they were held.

    Attributes
    ----------
    communities
        K, the number of communities. None: by the documents fitted, see :data:`COMMUNITIES`.
    background
        eps, the share of the occurrences that are of no community (0 to 1).
    smoothing
        tau, the count by which a node is drawn to the shares of all nodes when documents are
        scored (documents).
    learning_smoothing
        alpha, the same when documents are learned (documents).
    discount
        delta, what is taken off a node's count when documents are learned that have part in it
        (documents).
    decay
        What is left of a count after a year (0 to 1).
    sweeps
        Rounds of expectation and maximisation over the documents of a year.
    burn_in_documents
        The first years with so many documents of two nodes or more are learned together before any
        is scored; a family of documents counts once.
    fit_sweeps
        Rounds over all documents so far when they are fitted together.
    settled_documents
        Once so many documents were fitted together, later years are only added.
    most_nodes
        Distinct nodes that count of a document, those of the lowest ids.
    seed
        Decides the random start of a fit.
    """

    communities: int | None = None
    background: float = 0.1
    smoothing: float = 2.0
    learning_smoothing: float = 3.0
    discount: float = 2.0
    decay: float = 0.9
    sweeps: int = 2
    burn_in_documents: int = 5000
    fit_sweeps: int = 25
    settled_documents: int = 250_000
    most_nodes: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        rules = {
            "communities": self.communities is None or self.communities >= 2,
            "background": 0 < self.background < 1,
            "smoothing": self.smoothing > 0,
            "learning_smoothing": self.learning_smoothing > 0,
            "discount": self.discount >= 0,
            "decay": 0 < self.decay <= 1,
            "sweeps": self.sweeps >= 1,
            "burn_in_documents": self.burn_in_documents >= 1,
            "fit_sweeps": self.fit_sweeps >= 1,
            "settled_documents": self.settled_documents >= 0,
            "most_nodes": self.most_nodes >= 2,
            "seed": self.seed >= 0,
        }
        wrong = [f"{name} = {getattr(self, name)!r}" for name, holds in rules.items() if not holds]
        if wrong:
            message = f"settings of novelty out of range: {', '.join(wrong)}"
            raise ValueError(message)

    def is_to_be_fitted(self, documents: float, fitted: float) -> bool:
        """Whether so many documents are to be fitted together, so many having been last time."""
        if not fitted:
            return documents >= self.burn_in_documents
        return fitted < self.settled_documents and documents >= GROWTH * fitted

    def communities_of(self, documents: float) -> int:
        """Return how many communities so many documents are fitted with."""
        return self.communities or next(count for most, count in COMMUNITIES if documents < most)


def version(settings: Settings) -> str:
    """Return a name for the settings and this code: equal names and data, equal scores."""
    told = json.dumps(asdict(settings), sort_keys=True)
    digest = hashlib.blake2b(told.encode(), digest_size=4).hexdigest()
    return f"block-model-{CODE_VERSION}-{digest}"


@dataclass(frozen=True, eq=False)
class Hyperedges:
    """
    Sets of nodes in compressed rows.

    Attributes
    ----------
    offsets
        int64[hyperedges + 1]; the nodes of hyperedge h are ``nodes[offsets[h]:offsets[h + 1]]``.
    nodes
        int32[occurrences], ascending and distinct within a hyperedge.
    weights
        float64[hyperedges], how much a hyperedge counts in learning.
    """

    offsets: np.ndarray
    nodes: np.ndarray
    weights: np.ndarray

    @classmethod
    def from_arrow(
        cls,
        nodes: pa.Array | pa.ChunkedArray,
        weights: pa.Array | pa.ChunkedArray | None = None,
        *,
        most_nodes: int | None = None,
    ) -> Hyperedges:
        """
        Read lists of node ids.

        Parameters
        ----------
        nodes
            Lists of integers from 0; duplicates count once, their order not at all, and a missing
            list is an empty one.
        weights
            Numbers above zero; one for each hyperedge unless given.
        most_nodes
            Nodes of the lowest ids to keep of each; all unless given.

        Raises
        ------
        ValueError
            When a node id is missing, negative or beyond int32, or a weight is missing or not
            above zero.
        """
        lists = nodes.combine_chunks() if isinstance(nodes, pa.ChunkedArray) else nodes
        sizes = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
        flat = lists.flatten()
        if flat.null_count:
            message = f"{flat.null_count} node ids are missing"
            raise ValueError(message)
        ids = flat.to_numpy(zero_copy_only=False)
        if len(ids) and (ids.min() < 0 or ids.max() > np.iinfo(np.int32).max):
            message = f"node ids must be from 0 to {np.iinfo(np.int32).max}"
            raise ValueError(message)
        kept = np.ones(len(sizes)) if weights is None else _numbers(weights)
        if len(kept) != len(sizes) or not (kept > 0).all():
            message = "every hyperedge needs a weight above zero"
            raise ValueError(message)
        found = cls(_offsets(sizes), ids.astype(np.int32, copy=False), kept)._distinct()
        if most_nodes is None:
            return found
        places = np.arange(len(found.nodes)) - np.repeat(found.offsets[:-1], found.sizes)
        return found.where(places < most_nodes)

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def sizes(self) -> np.ndarray:
        """int64[hyperedges], how many nodes each has."""
        return np.diff(self.offsets)

    def take(self, rows: np.ndarray) -> Hyperedges:
        """Return some hyperedges, by their positions or by a mask, in that order."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        sizes = self.sizes[rows]
        offsets = _offsets(sizes)
        places = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], sizes)
        return Hyperedges(offsets, self.nodes[places], self.weights[rows])

    def where(self, keep: np.ndarray) -> Hyperedges:
        """Return the same hyperedges with the occurrences, bool[occurrences], that are kept."""
        before = np.concatenate([[0], np.cumsum(keep)])
        return Hyperedges(before[self.offsets], self.nodes[keep], self.weights)

    def _distinct(self) -> Hyperedges:
        """Return the same with nodes ascending and distinct within each."""
        if len(self.nodes) < 2:
            return self
        rows = np.repeat(np.arange(len(self), dtype=np.int64), self.sizes)
        keys = (rows << 32) | self.nodes
        if (keys[1:] > keys[:-1]).all():
            return self
        keys.sort()
        ordered = Hyperedges(self.offsets, (keys & 0xFFFFFFFF).astype(np.int32), self.weights)
        return ordered.where(np.concatenate([[True], keys[1:] > keys[:-1]]))


def _numbers(values: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return values.cast(pa.float64()).to_numpy(zero_copy_only=False)


def _offsets(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])


def novelty(surprise: np.ndarray, known: np.ndarray) -> np.ndarray:
    """
    Return the surprise that a node beyond the first brings on average, on a scale from 0 to 1.

    ``1 / (1 + lift^(1 / (m - 1)))``, which is the logistic function of surprise / (m - 1).

    Parameters
    ----------
    surprise
        float64[hyperedges], nats; nan gives nan.
    known
        Integers of shape [hyperedges]: m, the known nodes, at least 2 where there is a surprise.

    Returns
    -------
    np.ndarray
        float64[hyperedges].
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return 1 / (1 + np.exp(-surprise / (known - 1)))


# The year of the counts of a node that has none.
NEVER = np.iinfo(np.int32).min


class BlockModel:
    """
    What is known of a corpus after some year.

    A row of counts is of the last year in which its node was active, and fades when it is read: so
    learning a year touches no other row, and a state on disk holds no other. Memory is nodes * K
    float32.

    Parameters
    ----------
    settings
        What decides the scores; how many communities it asks for is not read.
    communities
        K.
    year
        The last year learned from.
    """

    def __init__(self, settings: Settings, communities: int, year: int) -> None:
        self.settings = settings
        self.year = year
        self._counts = np.zeros((0, communities), np.float32)
        self._counted = np.zeros(0, np.int32)  # the year that a row of counts is of
        self._seen = np.zeros(0, bool)
        self._tokens = np.zeros(communities)  # sum of all counts, as of `year`
        self._documents = np.zeros(communities)  # expected documents, as of `year`

    @classmethod
    def fit(cls, hyperedges: Hyperedges, years: np.ndarray, settings: Settings) -> BlockModel:
        """
        Learn all years so far together, from a random start.

        Costs O(fit_sweeps * occurrences * K).

        Parameters
        ----------
        hyperedges
            All of these years, in an order that decides the bits of the result.
        years
            Integers of shape [hyperedges].
        settings
            What decides the scores.

        Raises
        ------
        ValueError
            When no hyperedge has two nodes.
        """
        teaching = hyperedges.sizes >= 2
        if not teaching.any():
            message = "no document has two nodes: there is nothing to learn"
            raise ValueError(message)
        documents = float(hyperedges.weights[teaching].sum())
        last = int(years.max())
        model = cls(settings, settings.communities_of(documents), last)
        model._see(hyperedges)
        # As faded as if each year had been learned by itself.
        weights = hyperedges.weights * settings.decay ** (last - years.astype(np.float64))
        faded = Hyperedges(hyperedges.offsets, hyperedges.nodes, weights).take(teaching)
        powers = np.minimum(1, np.linspace(FIRST_POWER, LAST_POWER, settings.fit_sweeps))
        model._maximise(faded, powers, np.random.default_rng(settings.seed))
        return model

    @property
    def community_count(self) -> int:
        """K."""
        return self._counts.shape[1]

    @property
    def pi(self) -> np.ndarray:
        """float64[K], the probability of each community, of sum one."""
        return (self._documents + 1) / (self._documents.sum() + self.community_count)

    @property
    def token_shares(self) -> np.ndarray:
        """float64[K], the share p_d of each community in the counts of all nodes, of sum one."""
        return (self._tokens + 1) / (self._tokens.sum() + self.community_count)

    def theta(self, nodes: np.ndarray) -> np.ndarray:
        """
        Return the communities' shares in nodes as documents are scored by them.

        ``theta_id = (C_id + tau p_d) / (sum_d C_id + tau)``, which is p_d for an unknown node.

        Parameters
        ----------
        nodes
            Integers of shape [nodes], from 0.

        Returns
        -------
        np.ndarray
            float64[nodes, K], rows of sum one.
        """
        tau = self.settings.smoothing
        counts = self._faded(np.asarray(nodes)).astype(np.float64)
        return (counts + tau * self.token_shares) / (counts.sum(axis=1, keepdims=True) + tau)

    def communities(self) -> np.ndarray:
        """Return int32[nodes]: the community of the most counts of a node, -1 where it has none."""
        best = self._counts.argmax(axis=1).astype(np.int32)
        best[self._counted == NEVER] = -1
        return best

    def is_known(self, nodes: np.ndarray) -> np.ndarray:
        """Return bool[nodes]: whether each node, by its id, was seen up to `year`."""
        is_inside = nodes < len(self._seen)
        found = np.zeros(len(nodes), bool)
        found[is_inside] = self._seen[nodes[is_inside]]
        return found

    def known(self, hyperedges: Hyperedges) -> np.ndarray:
        """Return int32[hyperedges]: how many nodes of each were seen up to `year`."""
        return hyperedges.where(self.is_known(hyperedges.nodes)).sizes.astype(np.int32)

    def surprise(self, hyperedges: Hyperedges) -> np.ndarray:
        """
        Return how unlikely hyperedges are.

        Nodes that are not known change nothing, and neither do other hyperedges. Costs
        O(occurrences * K).

        Returns
        -------
        np.ndarray
            float64[hyperedges], nats, computed in single precision; nan with fewer than two known
            nodes.
        """
        import torch

        known = hyperedges.where(self.is_known(hyperedges.nodes))
        rows = np.flatnonzero(known.sizes >= 2)
        found = np.full(len(hyperedges), np.nan)
        with transformer.one_thread_per_product():
            log_pi = self._log_pi()
            for start in range(0, len(rows), DOCUMENTS_PER_BATCH):
                here = rows[start : start + DOCUMENTS_PER_BATCH]
                part = known.take(here)
                nodes, places = _compact(part.nodes)
                ratios = self._ratios(self._faded(nodes), self.settings.smoothing)
                sums = _sums(ratios.log_(), places, part.offsets).add_(log_pi)
                # No minus zero in the published file.
                found[here] = 0.0 - torch.logsumexp(sums, 1).numpy()
        return found

    def learn(self, hyperedges: Hyperedges, year: int) -> None:
        """
        Add the documents of a year to what is known.

        Documents with one node make it known and teach nothing else.

        Parameters
        ----------
        hyperedges
            All of the year, in an order that decides the bits of the result.
        year
            Later than any learned before.

        Raises
        ------
        ValueError
            When the year is not later.
        """
        if year <= self.year:
            message = f"the year {year} cannot be learned after {self.year}"
            raise ValueError(message)
        fading = self.settings.decay ** (year - self.year)
        self._tokens *= fading
        self._documents *= fading
        self.year = year
        self._see(hyperedges)
        taught = hyperedges.take(hyperedges.sizes >= 2)
        if len(taught):
            self._maximise(taught, np.ones(self.settings.sweeps))

    def reserve(self, nodes: int) -> None:
        """Make room for the nodes of ids below `nodes`; it takes memory once it is used."""
        more = nodes - len(self._counts)
        if more > 0:
            counts = np.zeros((nodes, self.community_count), np.float32)
            counts[: len(self._counts)] = self._counts
            self._counts = counts
            self._counted = np.concatenate([self._counted, np.full(more, NEVER, np.int32)])
            self._seen = np.concatenate([self._seen, np.zeros(more, bool)])

    def changes(self) -> dict[str, np.ndarray]:
        """
        Return what `year` has changed.

        Returns
        -------
        dict[str, np.ndarray]
            `nodes` int32[active], ascending; their `counts` float32[active, K]; `tokens` and
            `documents` float64[K].
        """
        nodes = np.flatnonzero(self._counted == self.year)
        return {
            "nodes": nodes.astype(np.int32),
            "counts": self._counts[nodes],
            "tokens": self._tokens,
            "documents": self._documents,
        }

    def restore(self, changes: dict[str, np.ndarray], hyperedges: Hyperedges, year: int) -> None:
        """Go on to a year by what :meth:`changes` gave after learning its hyperedges."""
        self._see(hyperedges)
        self._counts[changes["nodes"]] = changes["counts"]
        self._counted[changes["nodes"]] = year
        self._tokens, self._documents = changes["tokens"].copy(), changes["documents"].copy()
        self.year = year

    def _maximise(
        self, hyperedges: Hyperedges, powers: np.ndarray, start: np.random.Generator | None = None
    ) -> None:
        """
        Run a round of expectation and maximisation for each power of the likelihood.

        The first round goes by the counts of before, or by random numbers where `start` is given.
        """
        nodes, places = _compact(hyperedges.nodes)
        batches = _batches(places, hyperedges.offsets, hyperedges.weights)
        before = self._faded(nodes)
        other_tokens = self._tokens - before.sum(axis=0, dtype=np.float64)
        other_documents = self._documents.copy()
        counts = before
        with transformer.one_thread_per_product():
            for sweep, power in enumerate(powers.tolist()):
                if sweep == 0 and start is not None:
                    drawn = start.standard_gamma(1.0, before.shape, np.float32)
                    ratios = self._leaking(drawn)
                else:
                    # The first time these documents have no part in the counts yet.
                    discount = self.settings.discount if sweep else 0.0
                    ratios = self._ratios(counts, self.settings.learning_smoothing, discount)
                counts, documents = self._swept(batches, ratios, power)
                # Of each draw of a node, the part that is its community's and not the leak's.
                explained = ratios.reciprocal_().mul_(-self.settings.background).add_(1)
                counts = counts.mul_(explained).numpy()
                counts += before
                self._documents = other_documents + documents
                self._tokens = other_tokens + counts.sum(axis=0, dtype=np.float64)
        self._counts[nodes] = counts
        self._counted[nodes] = self.year

    def _swept(
        self, batches: list[_Batch], ratios: torch.Tensor, power: float
    ) -> tuple[torch.Tensor, np.ndarray]:
        """Return sum_{h with i} w_h q_hd, float32[nodes, K], and sum_h w_h q_hd, float64[K]."""
        import torch

        logs, log_pi = ratios.log(), self._log_pi()
        counts = torch.zeros_like(ratios)
        documents = np.zeros(self.community_count)
        for batch in batches:
            sums = _sums(logs, batch.nodes, batch.offsets).add_(log_pi).mul_(power)
            shares = torch.softmax(sums, 1).mul_(batch.weights)
            documents += shares.sum(0, dtype=torch.float64).numpy()
            counts.index_add_(0, batch.rows, _sums(shares, batch.documents, batch.row_offsets))
        return counts, documents

    def _ratios(self, counts: np.ndarray, smoothing: float, discount: float = 0.0) -> torch.Tensor:
        """
        Return r_id of rows of counts, float32[nodes, K].

        A discount is taken off the sum of a row, and off its parts in proportion.
        """
        totals = counts.sum(axis=1, keepdims=True)
        left = np.maximum(totals - np.float32(discount), 0)
        ratios = counts * (1 / self.token_shares).astype(np.float32)
        if discount:
            ratios *= left / np.maximum(totals, np.finfo(np.float32).tiny)
        # tau p_d over p_d.
        ratios += np.float32(smoothing)
        ratios /= left + np.float32(smoothing)
        return self._leaking(ratios)

    def _leaking(self, ratios: np.ndarray) -> torch.Tensor:
        """Return eps + (1 - eps) x, in the memory of x."""
        import torch

        background = self.settings.background
        return torch.from_numpy(ratios).mul_(1 - background).add_(background)

    def _log_pi(self) -> torch.Tensor:
        import torch

        return torch.from_numpy(np.log(self.pi).astype(np.float32))

    def _faded(self, nodes: np.ndarray) -> np.ndarray:
        """Return the counts of nodes as they are in `year`, float32[nodes, K]."""
        found = np.zeros((len(nodes), self.community_count), np.float32)
        inside = np.flatnonzero(nodes < len(self._counts))
        inside = inside[self._counted[nodes[inside]] != NEVER]
        rows = nodes[inside]
        ages = (self.year - self._counted[rows]).astype(np.float64)
        fading = (self.settings.decay**ages).astype(np.float32)
        found[inside] = self._counts[rows] * fading[:, None]
        return found

    def _see(self, hyperedges: Hyperedges) -> None:
        self.reserve(int(hyperedges.nodes.max(initial=-1)) + 1)
        self._seen[hyperedges.nodes] = True


@dataclass(frozen=True)
class _Batch:
    """Some documents with their nodes, from both sides; nodes are rows of those being learned."""

    nodes: np.ndarray  # int32[occurrences], of one document after the other
    offsets: np.ndarray  # int64[documents + 1]
    weights: torch.Tensor  # float32[documents, 1]
    documents: np.ndarray  # int32[occurrences], of one node after the other
    row_offsets: np.ndarray  # int64[rows + 1]
    rows: torch.Tensor  # int64[rows], the nodes of the batch, ascending


def _batches(nodes: np.ndarray, offsets: np.ndarray, weights: np.ndarray) -> list[_Batch]:
    import torch

    batches = []
    for start in range(0, len(weights), DOCUMENTS_PER_BATCH):
        ends = offsets[start : start + DOCUMENTS_PER_BATCH + 1]
        inside, sizes = nodes[ends[0] : ends[-1]], np.diff(ends)
        documents = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
        # Both in one number: that sorts several times as fast as one by the other.
        keys = np.sort((inside.astype(np.int64) << 32) | documents)
        of_keys = keys >> 32
        firsts = np.flatnonzero(np.diff(of_keys, prepend=-1))
        batches.append(
            _Batch(
                nodes=inside,
                offsets=ends - ends[0],
                weights=torch.from_numpy(weights[start : start + len(sizes)].astype(np.float32))[
                    :, None
                ],
                documents=(keys & 0xFFFFFFFF).astype(np.int32),
                row_offsets=np.append(firsts, len(keys)),
                rows=torch.from_numpy(of_keys[firsts]),
            )
        )
    return batches


def _sums(values: torch.Tensor, places: np.ndarray, offsets: np.ndarray) -> torch.Tensor:
    """Return the sum of values[places] for each run of places, in their order, [runs, K]."""
    import torch

    return torch.nn.functional.embedding_bag(
        torch.from_numpy(places),
        values,
        torch.from_numpy(offsets.astype(np.int32)),
        mode="sum",
        include_last_offset=True,
    )


def _compact(nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct nodes, ascending, and int32 places of the nodes among them."""
    most = int(nodes.max()) + 1 if len(nodes) else 0
    present = np.zeros(most, bool)
    present[nodes] = True
    distinct = np.flatnonzero(present)
    place = np.empty(most, np.int32)
    place[distinct] = np.arange(len(distinct), dtype=np.int32)
    return distinct, place[nodes]


@dataclass(frozen=True, eq=False)
class Step:
    """
    A year of a corpus, and what was known before it.

    Attributes
    ----------
    year
        The year.
    rows
        int64[documents], their rows in the table, in the order of `hyperedge_id`.
    hyperedges
        Their nodes, in the same order.
    model
        What was known before the year; None in the burn-in. It learns the year when the next step
        is asked for, so use it before.
    """

    year: int
    rows: np.ndarray
    hyperedges: Hyperedges
    model: BlockModel | None


def walk(
    table: pa.Table, settings: Settings, states: Path | None = None, corpus: str = ""
) -> Iterator[Step]:
    """
    Go through the years of a corpus in order, and learn each after it was looked at.

    Memory and cost are those of the module; the table's nodes are held once more, and a fit holds
    those of all years so far.

    Parameters
    ----------
    table
        All rows of a corpus in any order: columns `hyperedge_id` (text, unique), `year` (integer),
        `nodes` (list of integers) and `weight` (number above zero).
    settings
        What decides the scores.
    states
        Folder that keeps what was learned of each year; None: nothing is kept. A year whose file
        tells of the same documents, in it and in all years before, is read instead of learned, to
        the same bits. A file takes 4 * K bytes for each node active in its year, or in any year so
        far where these were fitted together.
    corpus
        Names the corpus in the names of the files.

    Yields
    ------
    Step
        One for each year with documents.

    Raises
    ------
    ValueError
        When an id, a year, a node or a weight is missing or impossible, or a hyperedge comes twice
        in a year.
    """
    order, years = _by_year(table)
    hyperedges = Hyperedges.from_arrow(
        table.column("nodes"), table.column("weight"), most_nodes=settings.most_nodes
    )
    nodes = int(hyperedges.nodes.max(initial=-1)) + 1
    kept = _States(Path(states), corpus, settings) if states else None
    model: BlockModel | None = None
    taught = fitted = 0.0  # documents that can be learned from, and those of the last fit
    ends = np.flatnonzero(np.diff(years, append=NEVER)) + 1
    for start, end in itertools.pairwise([0, *ends.tolist()]):
        year, rows = int(years[start]), order[start:end]
        of_year = hyperedges.take(rows)
        yield Step(year, rows, of_year, model)
        taught += float(of_year.weights[of_year.sizes >= 2].sum())
        is_fit = settings.is_to_be_fitted(taught, fitted)
        if kept:
            kept.follow(year, table.column("hyperedge_id").take(pa.array(rows)), of_year)
        changes = kept.read() if kept and (is_fit or model is not None) else None
        if is_fit:
            fitted = taught
            past = hyperedges.take(order[:end])
            if changes is None:
                model = BlockModel.fit(past, years[:end], settings)
            else:
                model = BlockModel(settings, changes["counts"].shape[1], year)
                model.restore(changes, past, year)
            model.reserve(nodes)
        elif model is None:
            continue
        elif changes is None:
            model.learn(of_year, year)
        else:
            model.restore(changes, of_year, year)
        if kept and changes is None:
            kept.write(model.changes())


def _by_year(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows ordered by year and `hyperedge_id`, and their years."""
    for name in ("year", "hyperedge_id"):
        if table.column(name).null_count:
            message = f"{table.column(name).null_count} hyperedges have no {name}"
            raise ValueError(message)
    keys = table.select(["year", "hyperedge_id"])
    by = [("year", "ascending"), ("hyperedge_id", "ascending")]
    order = pc.sort_indices(keys, sort_keys=by).to_numpy().astype(np.int64)
    years = table.column("year").cast(pa.int64()).to_numpy()[order]
    names = table.column("hyperedge_id").take(pa.array(order)).combine_chunks()
    if len(order) > 1:
        twice = pc.equal(names[1:], names[:-1]).to_numpy(zero_copy_only=False)
        twice &= years[1:] == years[:-1]
        if twice.any():
            message = f"the hyperedge {names[int(np.argmax(twice))]} comes twice in a year"
            raise ValueError(message)
    return order, years


class _States:
    """Files of what was learned of each year of a corpus, named by all that has decided it."""

    def __init__(self, folder: Path, corpus: str, settings: Settings) -> None:
        self.folder, self.corpus, self.settings = folder, corpus or "corpus", settings
        self.year = 0
        self.digest = hashlib.blake2b(version(settings).encode()).digest()

    @property
    def path(self) -> Path:
        """The file of the year."""
        return self.folder / f"{self._beginning}{self.digest.hex()[:12]}.safetensors"

    @property
    def _beginning(self) -> str:
        return f"{self.corpus}_{self.year}_"

    def follow(self, year: int, names: pa.ChunkedArray, hyperedges: Hyperedges) -> None:
        """Go on to a year, whose documents join all that has decided what is known after it."""
        digest = hashlib.blake2b(self.digest)
        texts = [name.encode() for name in names.to_pylist()]
        for values in (
            np.array([year, len(texts)]),
            np.array([len(text) for text in texts]),
            np.frombuffer(b"".join(texts), np.uint8),
            hyperedges.offsets,
            hyperedges.nodes,
            hyperedges.weights,
        ):
            digest.update(np.ascontiguousarray(values))
        self.year, self.digest = year, digest.digest()

    def read(self) -> dict[str, np.ndarray] | None:
        """Return what the year has changed; None without a whole file of it."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, framework="np") as file:
                told = file.metadata() or {}
                changes = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, ValueError, SafetensorError):
            return None
        # All of the digest, of which the name holds a part; and a disk may lose what it was told.
        wanted = {"digest": self.digest.hex(), "content": _content(changes)}
        return changes if wanted.items() <= told.items() else None

    def write(self, changes: dict[str, np.ndarray]) -> None:
        """Keep what the year has changed, and remove what is kept of other documents of it."""
        from safetensors.numpy import save

        told = {
            "corpus": self.corpus,
            "year": str(self.year),
            "model_version": version(self.settings),
            "settings": json.dumps(asdict(self.settings), sort_keys=True),
            "digest": self.digest.hex(),
            "content": _content(changes),
        }
        with storage.aside(self.folder, "novelty") as path:
            path.write_bytes(save(changes, told))
            self.path.unlink(missing_ok=True)  # it is torn, or it would have been read
            storage.settle(path, self.path)
        for other in self.folder.iterdir():
            is_of_year = other.name.startswith(self._beginning) and other.suffix == ".safetensors"
            is_left_over = other.name.endswith(".novelty.partial") and _age(other) > 3600
            if (is_of_year and other != self.path) or is_left_over:
                other.unlink(missing_ok=True)


def _age(path: Path) -> float:
    """Return the seconds since a file was written; none where it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _content(tensors: dict[str, np.ndarray]) -> str:
    """Return a name for the values of tensors."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].shape}".encode())
        digest.update(np.ascontiguousarray(tensors[name]))
    return digest.hexdigest()


def score(table: pa.Table, *, settings: Settings, states: Path | None = None) -> pa.Table:
    """
    Score the documents of one corpus, each by what was known before its year.

    Parameters
    ----------
    table
        All rows of a corpus in any order: columns `hyperedge_id`, `document_id`, `corpus` (text),
        `year` (integer), `nodes` (list of integers) and `weight` (number above zero, 1 / documents
        of the family). Node ids go from 0 in the order in which nodes are first met, so that later
        years change no id.
    settings
        What decides the scores.
    states
        Folder that keeps what was learned of each year, see :func:`walk`; None: nothing is kept.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.NOVELTY`, one for each row of the table, in its order.

    Raises
    ------
    ValueError
        When rows are of more than one corpus, a value is missing, or a hyperedge comes twice in a
        year.
    """
    corpora = table.column("corpus").unique().to_pylist()
    if len(corpora) > 1:
        message = f"rows of more than one corpus: {', '.join(map(str, corpora))}"
        raise ValueError(message)
    corpus = corpora[0] if corpora else ""
    rows = table.num_rows
    node_counts, known, state_years = (np.zeros(rows, np.int32) for _ in range(3))
    surprise = np.full(rows, np.nan)
    burning = np.ones(rows, bool)
    seen = np.zeros(0, bool)
    steps = _told(walk(table, settings, states, corpus), rows, f"score novelty of {corpus}")
    for step in steps:
        edges, here = step.hyperedges, step.rows
        most = int(edges.nodes.max(initial=-1)) + 1
        seen = np.concatenate([seen, np.zeros(max(0, most - len(seen)), bool)])
        node_counts[here] = edges.sizes
        known[here] = edges.where(seen[edges.nodes]).sizes
        seen[edges.nodes] = True
        if step.model is not None:
            burning[here] = False
            state_years[here] = step.model.year
            surprise[here] = step.model.surprise(edges)
    is_scored = ~np.isnan(surprise)
    reasons = np.select(
        [burning, node_counts < 2, known < 2],
        [BURN_IN, FEWER_THAN_TWO_NODES, FEWER_THAN_TWO_KNOWN_NODES],
        "",
    )
    columns = {
        "hyperedge_id": table.column("hyperedge_id"),
        "document_id": table.column("document_id"),
        "corpus": table.column("corpus"),
        "year": table.column("year"),
        "node_count": node_counts,
        "known_nodes": known,
        "surprise": pa.array(surprise, mask=~is_scored),
        "novelty": pa.array(novelty(surprise, known), mask=~is_scored),
        "reason": pa.array(reasons, mask=is_scored),
        "state_year": pa.array(state_years, mask=burning),
        "model_version": pa.repeat(version(settings), rows),
    }
    return pa.table(columns).cast(tables.NOVELTY)


def _told(steps: Iterator[Step], documents: int, description: str) -> Iterator[Step]:
    """Pass steps on and tell on stderr which year is done, how fast, and what remains."""
    wanted = os.environ.get(PROGRESS_VARIABLE, "")
    terminal = wanted == "1" or (wanted != "0" and sys.stderr.isatty())
    started = told = time.monotonic()
    done = 0
    with tqdm(
        total=documents,
        desc=description,
        unit=" documents",
        disable=not terminal,
        file=sys.stderr,
        leave=False,
    ) as bar:
        for step in steps:
            yield step
            done += len(step.rows)
            bar.set_postfix_str(str(step.year), refresh=False)
            bar.update(len(step.rows))
            now = time.monotonic()
            if not terminal and wanted != "0" and now - told > SECONDS_BETWEEN_PLAIN_LINES:
                told = now
                remaining = (documents - done) * (now - started) / done / 60
                sys.stderr.write(
                    f"{description}: {done:,} of {documents:,} documents, {step.year} is done, "
                    f"about {remaining:,.0f} min to go\n"
                )
                sys.stderr.flush()
