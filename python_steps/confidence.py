"""
Turn similarities into the probability that a paper and its patent are the same invention.

What the probability is a share of decides what it is. Here it is the table of matches: of all pairs
of a paper and one of its nearest patents that are as similar as this one, how many are the same
invention, or one a direct use of the other? Most papers have no such patent, and their nearest
patents are in the table all the same, so the share is far lower than among known pairs and random
ones, however well those are told apart.

Known pairs are few and of the one kind only: whoever lists twins does not list all that are none,
and the pairs that nobody listed hold most twins there are. So they are not taken for negatives.
They are the population, of which an unknown part is the same; how large a part in all is assumed
(`linked_share`), and which part is what the fit finds: logistic regression from presence only, by
expectation and maximisation (Ward, Hastie, Barry, Elith and Leathwick 2009, Biometrics 65:554,
section 3). Its two features are the similarity and CSLS (Conneau et al. 2018), which says how far a
pair stands out from what else is near to its paper and to its patent.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import linking, tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OWN_LINKS, PACKAGED, NO_LINKS = "own_links", "packaged", "no_links"

SIMILARITY_STEPS, CSLS_STEPS = 200, 100  # cells of `int_similarities_counted` in one
# Most confidences are near zero, so bands of equal width would put nearly all pairs into the first.
BAND_EDGES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
WHOLE = "all"
FOLDS = 10
# Keeps slopes finite where known pairs and all others are apart; nothing against 30 known pairs.
RIDGE = 0.1
TOLERANCE = 1e-8
MOST_ROUNDS = 2000
# Of papers that have such a patent, and of matched pairs that are the same: beyond it, what is not
# the same would be too rare to be told by the table.
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
        counted, known = (_in_space(table, space) for table in (counted, known))
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
            groups=_groups(matched),
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
        told = _sigmoid(offset + np.einsum("ij,j->i", rows, found))
        slope = np.einsum("ij,i->j", rows, weights * (truth - told)) - penalty * found
        # Not a product of matrices: the order of its sums follows the number of cores.
        curvature = np.einsum(
            "ij,ik,i->jk", rows, rows, weights * told * (1 - told), optimize=False
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
        Known pairs that are the same and were matched, from which on they teach a calibration.
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
        kept = _packaged(packaged, encoders, space, csls_neighbours)
        basis, known_pairs, source = OWN_LINKS, len(population.same), None
        if fitted is None and kept is not None:
            basis, known_pairs, source = PACKAGED, kept["known_pairs"], kept["source"]
            # Not the known share: that a corpus is small, or full of twins, shows in its CSLS.
            share = linked_share
            moved = _log_odds(share) - _log_odds(kept["linked_share"])
            fitted = Calibration(
                kept["intercept"] + moved, kept["similarity_slope"], kept["csls_slope"]
            )
        elif fitted is None:
            basis = NO_LINKS
        rows.append(
            {
                "embedding_text": space,
                "confidence_basis": basis,
                "intercept": fitted and fitted.intercept,
                "similarity_slope": fitted and fitted.similarity_slope,
                "csls_slope": fitted and fitted.csls_slope,
                "linked_share": share,
                "known_pairs": known_pairs,
                "source": source,
            }
        )
    return pa.Table.from_pylist(rows, schema=tables.CALIBRATIONS)


def check(
    counted: pa.Table,
    known: pa.Table,
    calibrations: pa.Table,
    *,
    least_links: int,
    draws: int,
    seed: int = 0,
) -> pa.Table:
    """
    Hold confidences against the known pairs.

    A calibration from these pairs is made anew for each of ten folds without the known pairs of
    the fold, which are then judged by it; pairs that share a paper or a patent, directly or through
    others, are in one group, and a group is in one fold. All other pairs are judged by the
    calibration itself, which they hardly decide.

    Citations join most pairs into one group. What folds then leave may be too little to be fitted
    to, and an error would be that of one draw: no figure is better than such a one.

    How many pairs of a band are the same is no count, as most of them nobody looked at: it is how
    many there are in all, by the assumed share of papers, times the share of known ones in the
    band. Too high a share assumed shows as bands in which more than all are the same: 1 is given.

    Parameters
    ----------
    counted, known
        See :func:`calibrate`.
    calibrations
        Rows of :data:`tables.CALIBRATIONS`.
    least_links
        Known pairs that have to remain outside each fold.
    draws, seed
        Of the bootstrap over the groups of known pairs behind the interval of the calibration
        error. A draw holds its own noise, so the interval leans to the high side.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.CALIBRATION_CHECK`: for each space one of the band `all`, and one for
        each band of confidence, lowest first, if there is a calibration. What needs known pairs is
        missing without, and where folds leave too few; the calibration error, its interval and the
        skill also where one group holds more than half of the known pairs.
    """
    rows = [
        row
        for calibration in calibrations.to_pylist()
        for row in _checked(
            calibration,
            Population.of(counted, known, calibration["embedding_text"]),
            least_links,
            np.random.default_rng(seed),
            draws,
        )
    ]
    return pa.Table.from_pylist(rows, schema=tables.CALIBRATION_CHECK)


def _checked(
    row: dict[str, object],
    population: Population,
    least_links: int,
    random: np.random.Generator,
    draws: int,
) -> Iterator[dict[str, object]]:
    """Yield the rows of one space."""
    named = {name: row[name] for name in ("embedding_text", "confidence_basis")}
    linked_share = population.linked_share(row["linked_share"])
    whole = named | {
        "band": WHOLE,
        "confidence_from": 0.0,
        "confidence_to": 1.0,
        "pairs": int(population.pairs),
        "known_pairs": len(population.same),
        "known_groups": len(np.unique(population.groups)),
        "near_misses": len(population.near_misses),
        "linked_share": linked_share,
        "intercept": row["intercept"],
        "similarity_slope": row["similarity_slope"],
        "csls_slope": row["csls_slope"],
        "source": row["source"],
    }
    if row["confidence_basis"] == NO_LINKS or not population.pairs:
        yield whole
        return
    calibration = Calibration(row["intercept"], row["similarity_slope"], row["csls_slope"])
    told = calibration.probability(population.cells)
    of_known = _out_of_fold(population, calibration, row, least_links)
    pairs, sums, here = (
        _by_band(told, population.counts),
        _by_band(told, population.counts * told),
        None if of_known is None else _by_band(of_known, np.ones(len(of_known))),
    )
    expected = population.expected(linked_share)
    share = expected / population.pairs
    whole["mean_confidence"] = float(sums.sum() / population.pairs)
    if len(population.near_misses):
        of_misses = calibration.probability(population.near_misses)
        whole["near_miss_mean_confidence"] = float(of_misses.mean())
    if len(population.same):
        whole["observed_share"] = share
        whole["implied_share"] = linked_share * float(sums.sum() / expected)
    is_judged = of_known is not None and len(of_known) > 0
    if is_judged:
        whole["known_mean_confidence"] = float(of_known.mean())
    if is_judged and not population.is_mostly_one_group:
        brier = float((population.counts * told**2).sum() / population.pairs)
        brier += share - 2 * share * float(of_known.mean())
        low, high = _error_interval(population, of_known, sums, expected, random, draws)
        whole |= {
            "calibration_error": float(_error(here / here.sum(), sums, expected, population.pairs)),
            "calibration_error_low": low,
            "calibration_error_high": high,
            "brier_score": brier,
            "brier_skill": 1 - brier / (share * (1 - share)),
        }
    yield whole
    for band, (start, end) in enumerate(itertools.pairwise(BAND_EDGES)):
        found = named | {
            "band": f"{start:g} to {end:g}",
            "confidence_from": start,
            "confidence_to": end,
            "pairs": int(pairs[band]),
            "known_pairs": None if of_known is None else int(here[band]),
        }
        if pairs[band]:
            found["mean_confidence"] = float(sums[band] / pairs[band])
        if pairs[band] and is_judged:
            known_share = here[band] / here.sum()
            ends = (known_share, *linking.wilson(known_share, len(of_known)))
            names = ("observed_share", "observed_share_low", "observed_share_high")
            found |= {
                name: min(1.0, float(end * expected / pairs[band]))
                for name, end in zip(names, ends, strict=True)
            }
        yield found


def _out_of_fold(
    population: Population, calibration: Calibration, row: dict[str, object], least_links: int
) -> np.ndarray | None:
    """
    Return the confidence of each known pair by what it did not teach: float64[same].

    None where what a fold leaves teaches nothing.
    """
    told = calibration.probability(population.same)
    if row["confidence_basis"] != OWN_LINKS:
        return told
    folds = _folds(population.groups)
    if len(folds) - np.bincount(folds, minlength=FOLDS).max() < least_links:
        return None
    for fold in np.unique(folds):
        inside = folds == fold
        other = population.fitted(population.linked_share(row["linked_share"]), ~inside)
        if other is None:
            return None
        told[inside] = other.probability(population.same[inside])
    return told


def _folds(groups: np.ndarray) -> np.ndarray:
    """Return the fold of each pair, the larger groups first into the fold that holds the fewest."""
    sizes = np.bincount(groups)
    folds = np.zeros(len(sizes), np.int64)
    held = np.zeros(FOLDS, np.int64)
    for group in np.argsort(-sizes, kind="stable"):
        folds[group] = held.argmin()
        held[folds[group]] += sizes[group]
    return folds[groups]


def _error(known_shares: np.ndarray, sums: np.ndarray, expected: float, pairs: float) -> np.ndarray:
    """Return the mean distance of confidence and observed share over bands, weighted by pairs."""
    return np.abs(known_shares * expected - sums).sum(axis=-1) / pairs


def _error_interval(
    population: Population,
    of_known: np.ndarray,
    sums: np.ndarray,
    expected: float,
    random: np.random.Generator,
    draws: int,
) -> tuple[float, float]:
    groups = int(population.groups.max()) + 1
    members = np.zeros((groups, len(BAND_EDGES) - 1))
    np.add.at(members, (population.groups, _band(of_known)), 1.0)
    even = np.full(groups, 1 / groups)
    # Draw by draw, as all of them at once would hold their number times that of the groups.
    here = np.stack(
        [np.einsum("g,gb->b", random.multinomial(groups, even), members) for _ in range(draws)]
    )
    shares = here / here.sum(axis=1, keepdims=True)
    errors = _error(shares, sums, expected, population.pairs)
    low, high = np.quantile(errors, [0.025, 0.975])
    return float(low), float(high)


def calibration_plot(checked: pa.Table) -> bytes | None:
    """
    Plot which share of the pairs of a confidence is the same, as PNG.

    Parameters
    ----------
    checked
        Rows of :data:`tables.CALIBRATION_CHECK`; a panel for each space that has observed shares.
        Both axes are logarithmic. Equal rows give equal bytes.

    Returns
    -------
    bytes | None
        None where there is nothing to show.
    """
    # Not pyplot: it keeps figures, and looks for a screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    is_shown = pc.and_(
        pc.not_equal(checked.column("band"), WHOLE), pc.is_valid(checked.column("observed_share"))
    )
    shown = checked.filter(is_shown)
    spaces = sorted(set(shown.column("embedding_text").to_pylist()))
    if not spaces:
        return None
    figure = Figure(figsize=(5.5 * len(spaces), 5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for panel, space in zip(figure.subplots(1, len(spaces), squeeze=False)[0], spaces, strict=True):
        _draw(panel, _in_space(shown, space).to_pylist())
        panel.set_title(space.replace("_", " and "))
    written = io.BytesIO()
    # Without the version of the library, which would differ where nothing else does.
    canvas.print_png(written, metadata={"Software": None})
    return written.getvalue()


def _draw(axes: Axes, rows: list[dict[str, float]]) -> None:
    """Draw one space; a share of zero stands at the foot of its interval's panel."""
    least = 1e-6
    told, true, low, high = (
        np.array([max(row[name], least) for row in rows])
        for name in (
            "mean_confidence",
            "observed_share",
            "observed_share_low",
            "observed_share_high",
        )
    )
    axes.plot([least, 1], [least, 1], color="0.7", linestyle="--", linewidth=1, zorder=0)
    axes.errorbar(told, true, yerr=[true - low, high - true], fmt="o", markersize=4, capsize=2)
    for row, across, up in zip(rows, told, true, strict=True):
        label = f"{row['pairs']:,}"
        axes.annotate(label, (across, up), (6, -3), textcoords="offset points", fontsize="x-small")
    axes.set(xscale="log", yscale="log", xlim=(least, 1.5), ylim=(least, 1.5))
    axes.set(xlabel="mean confidence of the pairs", ylabel="share that is the same (estimated)")


def _packaged(
    packaged: pa.Table, encoders: pa.Table, space: str, csls_neighbours: int
) -> dict[str, object] | None:
    """Return the packaged calibration of the encoder: of its content, whatever its name is."""
    versions = encoders.column("model_version").to_pylist()
    for row in _in_space(packaged, space).to_pylist():
        is_of_encoder = any(f"/{row['encoder_hash']}/" in version for version in versions)
        if is_of_encoder and row["csls_neighbours"] == csls_neighbours:
            return row
    return None


def _groups(known: pa.Table) -> np.ndarray:
    """Return a number for each pair, the same for those that share a paper or a patent."""
    leader: dict[str, str] = {}

    def first(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    names = [known.column(name).to_pylist() for name in ("paper_id", "patent_id")]
    for paper, patent in zip(*names, strict=True):
        one, other = sorted((first(f"paper {paper}"), first(f"patent {patent}")))
        leader[other] = one
    found = [first(f"paper {paper}") for paper in names[0]]
    return np.unique(np.array(found, dtype=str), return_inverse=True)[1].astype(np.int64)


def _by_band(told: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.bincount(_band(told), weights, minlength=len(BAND_EDGES) - 1)


def _band(told: np.ndarray) -> np.ndarray:
    return np.clip(np.searchsorted(BAND_EDGES, told, side="right") - 1, 0, len(BAND_EDGES) - 2)


def _in_space(table: pa.Table, space: str) -> pa.Table:
    return table.filter(pc.equal(table.column("embedding_text"), space))


def _features(known: pa.Table) -> np.ndarray:
    return np.stack([_floats(known, name) for name in ("similarity", "csls")], axis=1)


def _floats(table: pa.Table, name: str) -> np.ndarray:
    return table.column(name).to_numpy().astype(np.float64)


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _sigmoid(odds: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(odds / 2))
