"""
Turn similarities into the probability that a paper and its patent are the same invention.

What the probability is a share of decides what it is. Here it is the table of matches: of all pairs
of a paper and one of its nearest patents that are as similar as this one, how many are the same
invention, or one a direct use of the other? Most papers have no such patent, and their nearest
patents are in the table all the same, so the share is far lower than among known pairs and random
ones, however well those are separated.

Known pairs are few and of the one kind only: whoever lists twins does not list all that are none,
and the pairs that nobody listed hold most twins there are. So they are not taken for negatives.
They are the population, of which an unknown part is the same; how large a part in all is assumed
(`linked_share`), and which part is what the fit finds: logistic regression from presence only, by
expectation and maximisation (Ward, Hastie, Barry, Elith and Leathwick 2009, Biometrics 65:554,
section 3). Its two features are the similarity and CSLS (Conneau et al. 2018), which says how far a
pair stands out from what else is near to its paper and to its patent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import tables

OWN_LINKS, PACKAGED, NO_LINKS = "own_links", "packaged", "no_links"


SIMILARITY_STEPS, CSLS_STEPS = 200, 100  # cells of `int_similarities_counted` in one


# Keeps slopes finite where known pairs and all others are apart; nothing against 30 known pairs.
RIDGE = 0.1
TOLERANCE = 1e-8
MOST_ROUNDS = 2000


# Of papers that have such a patent, and of matched pairs that are the same: beyond it, what is not
# the same would be too rare to show in the table.
LARGEST_SHARE = 0.5


@dataclass(frozen=True)
class Calibration:
    """
    Coefficients of a confidence: 1 / (1 + exp(-(intercept + slopes · features))).

    Attributes
    ----------
    intercept
        Log odds, in nats, of a pair of similarity 0 and CSLS 0.
    similarity_slope, csls_slope
        Nats for each unit of similarity (cosine) and of CSLS; never below zero.
    """

    intercept: float
    similarity_slope: float
    csls_slope: float

    def probability(self, features: np.ndarray) -> np.ndarray:
        """Return float64[pairs] for float64[pairs, 2], the columns similarity and CSLS."""
        slopes = np.array([self.similarity_slope, self.csls_slope])
        return _sigmoid(self.intercept + np.einsum("ij,j->i", features, slopes))


@dataclass(frozen=True)
class Population:
    """
    The matches of one space, and what is known of them.

    Attributes
    ----------
    cells
        Similarity and CSLS of cells of pairs: float64[cells, 2].
    counts
        Pairs in each: float64[cells].
    papers
        Papers with a match.
    same
        Similarity and CSLS of known pairs that are the same, where matched: float64[same, 2].
    groups
        Which group of papers and patents that known pairs join each of these is of: int64[same].
    drawn_papers
        Papers of known pairs that are the same, matched or not.
    linked_papers
        The same with the known pairs that were not drawn.
    near_misses
        Similarity and CSLS of known pairs that are not the same, where matched: float64[misses, 2].
    """

    cells: np.ndarray
    counts: np.ndarray
    papers: int
    same: np.ndarray
    groups: np.ndarray
    drawn_papers: int
    linked_papers: int
    near_misses: np.ndarray

    @classmethod
    def of(cls, counted: pa.Table, known: pa.Table, space: str) -> Population:
        """Take the rows of a space from those of all; see :func:`calibrate`."""
        counted, known = (in_space(table, space) for table in (counted, known))
        steps = (_floats(counted, name) for name in ("similarity_step", "csls_step"))
        cells = np.stack(list(steps), axis=1) / [SIMILARITY_STEPS, CSLS_STEPS]
        same = known.filter(known.column("is_same"))
        misses = known.filter(pc.invert(known.column("is_same")))
        matched = same.filter(pc.is_valid(same.column("similarity")))
        return cls(
            cells=cells,
            counts=_floats(counted, "pairs"),
            papers=int(_floats(counted, "papers").sum()),
            same=_features(matched),
            groups=connected_groups(matched),
            drawn_papers=len(pc.unique(same.column("paper_id"))),
            linked_papers=pc.max(known.column("linked_papers")).as_py() or 0,
            near_misses=_features(misses.filter(pc.is_valid(misses.column("similarity")))),
        )

    @property
    def pairs(self) -> float:
        """Pairs in the table of matches."""
        return float(self.counts.sum())

    @property
    def is_mostly_one_group(self) -> bool:
        """Whether more than half of the known pairs are of one group."""
        return 2 * np.bincount(self.groups, minlength=1).max() > len(self.groups)

    def linked_share(self, assumed: float) -> float:
        """Return the share of papers with a patent that is the same: what is known is the least."""
        known = self.linked_papers / self.papers if self.papers else 0.0
        return min(max(assumed, known), LARGEST_SHARE)

    def expected(self, linked_share: float) -> float:
        """
        Return how many matched pairs are the same.

        As many for each paper that has such a patent as there are for each whose patent is known:
        fewer than one where matching leaves some out, more where families or citations add some.
        """
        if not self.drawn_papers:
            return 0.0
        expected = linked_share * self.papers * len(self.same) / self.drawn_papers
        return min(expected, LARGEST_SHARE * self.pairs)

    def fitted(self, linked_share: float, chosen: np.ndarray | None = None) -> Calibration | None:
        """Fit to the known pairs that are chosen, bool[same], or to all; see :func:`fit`."""
        same = self.same if chosen is None else self.same[chosen]
        return fit(self.cells, self.counts, same, expected=self.expected(linked_share))


def fit(
    cells: np.ndarray, counts: np.ndarray, same: np.ndarray, *, expected: float
) -> Calibration | None:
    """
    Fit a confidence to pairs that are the same and a population of which most are not.

    The cost is that of some hundred passes over the cells: about a second for 20,000.

    Parameters
    ----------
    cells
        Similarity and CSLS of cells of pairs: float64[cells, 2].
    counts
        Pairs of the population in each: float64[cells].
    same
        Similarity and CSLS of pairs that are the same: float64[same, 2].
    expected
        How many pairs of the population are the same.

    Returns
    -------
    Calibration | None
        Without CSLS where more of it would mean less confidence; None where that is so of
        similarity itself, or where there is nothing to fit.
    """
    if not len(same) or not counts.sum() or expected <= 0:
        return None
    share = expected / counts.sum()
    intercept, slopes = _presence_only(cells, counts, same, share)
    if slopes[1] < 0 or slopes[0] < 0:
        intercept, slopes = _presence_only(cells[:, :1], counts, same[:, :1], share)
        slopes = np.append(slopes, 0.0)
    if slopes[0] <= 0:
        return None
    return Calibration(float(intercept), float(slopes[0]), float(slopes[1]))


def _presence_only(
    cells: np.ndarray, counts: np.ndarray, same: np.ndarray, share: float
) -> tuple[float, np.ndarray]:
    """Return intercept and slopes; `share` of the population is the same."""
    pairs = counts.sum()
    mean = np.einsum("ij,i->j", cells, counts) / pairs
    spread = np.sqrt(np.einsum("ij,i->j", (cells - mean) ** 2, counts) / pairs)
    spread[spread == 0] = 1.0
    standardised = (np.concatenate([same, cells]) - mean) / spread
    rows = np.column_stack([np.ones(len(standardised)), standardised])
    weights = np.concatenate([np.ones(len(same)), counts])
    # Known pairs come on top of the population, so that what is the same is too frequent by this.
    offset = np.log((len(same) + share * pairs) / (share * pairs))
    truth = np.concatenate([np.ones(len(same)), np.full(len(cells), share)])
    penalty = RIDGE * np.append(0.0, np.ones(rows.shape[1] - 1))
    found = np.zeros(rows.shape[1])
    found[0] = np.log(share / (1 - share))
    for _ in range(MOST_ROUNDS):
        before = found
        found = _maximised(rows, weights, truth, offset, penalty, found)
        truth[len(same) :] = _sigmoid(np.einsum("ij,j->i", rows[len(same) :], found))
        if np.abs(found - before).max() < TOLERANCE:
            break
    slopes = found[1:] / spread
    return float(found[0] - (slopes * mean).sum()), slopes


def _maximised(
    rows: np.ndarray,
    weights: np.ndarray,
    truth: np.ndarray,
    offset: float,
    penalty: np.ndarray,
    found: np.ndarray,
) -> np.ndarray:
    """Return coefficients of a weighted logistic regression, by Newton's method with halving."""

    def value(coefficients: np.ndarray) -> float:
        odds = offset + np.einsum("ij,j->i", rows, coefficients)
        likelihood = weights * (truth * odds - np.logaddexp(0.0, odds))
        return float(likelihood.sum() - (penalty * coefficients**2).sum() / 2)

    here = value(found)
    for _ in range(25):
        fitted = _sigmoid(offset + np.einsum("ij,j->i", rows, found))
        slope = np.einsum("ij,i->j", rows, weights * (truth - fitted)) - penalty * found
        # Not a product of matrices: the order of its sums follows the number of cores.
        curvature = np.einsum(
            "ij,ik,i->jk", rows, rows, weights * fitted * (1 - fitted), optimize=False
        )
        step = np.linalg.solve(curvature + np.diag(penalty + 1e-12), slope)
        for _ in range(30):
            there = value(found + step)
            if there >= here - 1e-12 * abs(here):
                break
            step = step / 2
        found, gained, here = found + step, there - here, there
        if np.abs(step).max() < TOLERANCE or gained <= 0:
            break
    return found


def calibrate(
    counted: pa.Table,
    known: pa.Table,
    packaged: pa.Table,
    encoders: pa.Table,
    *,
    spaces: Sequence[str],
    linked_share: float,
    least_links: int,
    csls_neighbours: int,
) -> pa.Table:
    """
    Choose the coefficients by which similarities become confidences, in each space.

    Parameters
    ----------
    counted
        Rows of :data:`tables.SIMILARITIES`: the matches of all spaces.
    known
        Rows of :data:`tables.LINKS_MATCHED`: known pairs that matching could have found.
    packaged
        Rows of :data:`tables.PACKAGED_CALIBRATIONS`.
    encoders
        One row with `model_version`: of what made the vectors.
    spaces
        Spaces to calibrate.
    linked_share
        Share of papers that have a patent which is the same. A fit takes the share of papers that
        are known to have one, where it is larger.
    least_links
        Known pairs that are the same and were matched, to fit a calibration to them.
    csls_neighbours
        Neighbours that the CSLS of the matches goes by; it means something else with others.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.CALIBRATIONS`, one for each space in order. Its `confidence_basis` is
        `own_links` with enough known pairs; else `packaged`, if there is one for the encoder and
        the neighbours, with the log odds moved from the share of papers that it was made for to
        `linked_share`; else `no_links`, without coefficients.

    Raises
    ------
    ValueError
        When `linked_share` is not above 0 and at most one half.
    """
    if not 0 < linked_share <= LARGEST_SHARE:
        message = f"linked_share must be above 0 and at most {LARGEST_SHARE}, got {linked_share}"
        raise ValueError(message)
    rows = []
    for space in sorted(spaces):
        population = Population.of(counted, known, space)
        share = population.linked_share(linked_share)
        is_enough = len(population.same) >= least_links
        fitted = population.fitted(share) if is_enough else None
        row = {
            "space": space,
            "confidence_basis": NO_LINKS if fitted is None else OWN_LINKS,
            "linked_share": share,
            "known_pairs": len(population.same),
            "source": None,
        }
        kept = _packaged(packaged, encoders, space, csls_neighbours)
        if fitted is None and kept is not None:
            fitted = _moved(kept, linked_share)
            row |= {
                "confidence_basis": PACKAGED,
                # Not the known share: that a corpus is small, or full of twins, shows in its CSLS.
                "linked_share": linked_share,
                "known_pairs": kept["known_pairs"],
                "source": kept["source"],
            }
        coefficients = ("intercept", "similarity_slope", "csls_slope")
        rows.append(row | {name: getattr(fitted, name, None) for name in coefficients})
    return pa.Table.from_pylist(rows, schema=tables.CALIBRATIONS)


def _moved(packaged: Mapping[str, float], linked_share: float) -> Calibration:
    """Return a packaged calibration for another share of papers that have such a patent."""
    moved = _log_odds(linked_share) - _log_odds(packaged["linked_share"])
    return Calibration(
        packaged["intercept"] + moved, packaged["similarity_slope"], packaged["csls_slope"]
    )


def _packaged(
    packaged: pa.Table, encoders: pa.Table, space: str, csls_neighbours: int
) -> dict[str, object] | None:
    """Return the packaged calibration of the encoder: of its content, whatever its name is."""
    versions = encoders.column("model_version").to_pylist()
    for row in in_space(packaged, space).to_pylist():
        is_of_encoder = any(f"/{row['encoder_hash']}/" in version for version in versions)
        if is_of_encoder and row["csls_neighbours"] == csls_neighbours:
            return row
    return None


def connected_groups(known: pa.Table) -> np.ndarray:
    """Return a number for each pair, the same for those that share a paper or a patent."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not known.num_rows:
        return np.zeros(0, np.int64)
    papers, patents = (
        np.unique(np.array(known.column(name).to_pylist(), str), return_inverse=True)
        for name in ("paper_id", "patent_id")
    )
    nodes = len(papers[0]) + len(patents[0])
    edges = (papers[1], len(papers[0]) + patents[1])
    graph = coo_array((np.ones(known.num_rows), edges), shape=(nodes, nodes))
    _, groups = connected_components(graph, directed=False)
    return groups[papers[1]].astype(np.int64)


def in_space(table: pa.Table, space: str) -> pa.Table:
    """Return the rows of one space."""
    return table.filter(pc.equal(table.column("space"), space))


def _features(known: pa.Table) -> np.ndarray:
    return np.stack([_floats(known, name) for name in ("similarity", "csls")], axis=1)


def _floats(table: pa.Table, name: str) -> np.ndarray:
    return table.column(name).to_numpy().astype(np.float64)


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _sigmoid(odds: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(odds / 2))
