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

from typing import TYPE_CHECKING

import numpy as np

from python_steps.novelty.batches import Batch, batches_of, compact, run_sums
from python_steps.novelty.hyperedges import Hyperedges
from python_steps.novelty.settings import Settings
from python_steps.transformer import devices

if TYPE_CHECKING:
    import torch


DOCUMENTS_PER_BATCH = 65_536


# Power of the likelihood in the first sweep of a fit; it rises evenly to the last, but not above
# one (deterministic annealing, Ueda & Nakano 1998). On real keywords that is worth .07 of the AUC.
FIRST_POWER, LAST_POWER = 0.2, 1.3


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
        with devices.one_thread_per_product():
            log_pi = self._log_pi()
            for start in range(0, len(rows), DOCUMENTS_PER_BATCH):
                here = rows[start : start + DOCUMENTS_PER_BATCH]
                part = known.take(here)
                nodes, places = compact(part.nodes)
                ratios = self._ratios(self._faded(nodes), self.settings.smoothing)
                sums = run_sums(ratios.log_(), places, part.offsets).add_(log_pi)
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
        nodes, places = compact(hyperedges.nodes)
        batches = batches_of(places, hyperedges.offsets, hyperedges.weights, DOCUMENTS_PER_BATCH)
        before = self._faded(nodes)
        other_tokens = self._tokens - before.sum(axis=0, dtype=np.float64)
        other_documents = self._documents.copy()
        counts = before
        with devices.one_thread_per_product():
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
        self, batches: list[Batch], ratios: torch.Tensor, power: float
    ) -> tuple[torch.Tensor, np.ndarray]:
        """Return sum_{h with i} w_h q_hd, float32[nodes, K], and sum_h w_h q_hd, float64[K]."""
        import torch

        logs, log_pi = ratios.log(), self._log_pi()
        counts = torch.zeros_like(ratios)
        documents = np.zeros(self.community_count)
        for batch in batches:
            sums = run_sums(logs, batch.nodes, batch.offsets).add_(log_pi).mul_(power)
            shares = torch.softmax(sums, 1).mul_(batch.weights)
            documents += shares.sum(0, dtype=torch.float64).numpy()
            counts.index_add_(0, batch.rows, run_sums(shares, batch.documents, batch.row_offsets))
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
