"""Check confidence by known pairs it was not fitted on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from python_steps import tables
from python_steps.similarity.confidence import NO_LINKS, OWN_LINKS, Calibration, Population
from python_steps.statistics import intervals

# Most confidences are near zero, so bands of equal width would put nearly all pairs into the first.
BAND_EDGES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
WHOLE = "all"
FOLDS = 10


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

    A calibration from these pairs is fitted for each of ten folds without the known pairs of the
    fold, which are then judged by it; pairs that share a paper or a patent, directly or through
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
            Population.of(counted, known, calibration["space"]),
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
    named = {name: row[name] for name in ("space", "confidence_basis")}
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
    bands = _Bands(
        population,
        calibration.probability(population.cells),
        _out_of_fold(population, calibration, row, least_links),
        population.expected(linked_share),
    )
    yield whole | _means(bands, calibration, linked_share) | _errors(bands, random, draws)
    for band in range(len(BAND_EDGES) - 1):
        yield named | bands.row(band)


class _Bands:
    """
    The pairs of one space in bands of confidence.

    Attributes
    ----------
    confidences
        Of cells of pairs: float64[cells].
    of_known
        Of known pairs that are the same, by what these did not teach: float64[same]; None where
        folds leave too few.
    expected
        How many pairs are the same.
    pairs, sums, known
        Pairs, the sum of their confidences, and known pairs in each band: float64[bands].
    """

    def __init__(
        self,
        population: Population,
        confidences: np.ndarray,
        of_known: np.ndarray | None,
        expected: float,
    ) -> None:
        self.population, self.expected = population, expected
        self.confidences, self.of_known = confidences, of_known
        self.pairs = _by_band(confidences, population.counts)
        self.sums = _by_band(confidences, population.counts * confidences)
        self.known = None if of_known is None else _by_band(of_known, np.ones(len(of_known)))

    @property
    def is_judged(self) -> bool:
        """Whether there are known pairs to judge confidences by."""
        return self.of_known is not None and len(self.of_known) > 0

    @property
    def share(self) -> float:
        """Share of pairs that are the same."""
        return self.expected / self.population.pairs

    def error(self, known: np.ndarray) -> np.ndarray:
        """Return the mean distance of confidence and observed share, weighted by pairs."""
        shares = known / known.sum(axis=-1, keepdims=True)
        return np.abs(shares * self.expected - self.sums).sum(axis=-1) / self.population.pairs

    def row(self, band: int) -> dict[str, object]:
        """Return what is known of one band."""
        start, end = BAND_EDGES[band : band + 2]
        pairs = self.pairs[band]
        row: dict[str, object] = {
            "band": f"{start:g} to {end:g}",
            "confidence_from": start,
            "confidence_to": end,
            "pairs": int(pairs),
            "known_pairs": None if self.known is None else int(self.known[band]),
        }
        if pairs:
            row["mean_confidence"] = float(self.sums[band] / pairs)
        if pairs and self.is_judged:
            share = self.known[band] / self.known.sum()
            low, high = intervals.wilson(share, len(self.of_known))
            observed = {"": share, "_low": low, "_high": high}
            row |= {
                f"observed_share{end}": min(1.0, float(value * self.expected / pairs))
                for end, value in observed.items()
            }
        return row


def _means(bands: _Bands, calibration: Calibration, linked_share: float) -> dict[str, float]:
    """Return mean confidences, and the shares of pairs that are the same."""
    population = bands.population
    means = {"mean_confidence": float(bands.sums.sum() / population.pairs)}
    if len(population.near_misses):
        of_misses = calibration.probability(population.near_misses)
        means["near_miss_mean_confidence"] = float(of_misses.mean())
    if len(population.same):
        means["observed_share"] = bands.share
        means["implied_share"] = linked_share * float(bands.sums.sum() / bands.expected)
    if bands.is_judged:
        means["known_mean_confidence"] = float(bands.of_known.mean())
    return means


def _errors(bands: _Bands, random: np.random.Generator, draws: int) -> dict[str, float]:
    """Return the calibration error with its interval, and the skill; nothing if one group rules."""
    population, share = bands.population, bands.share
    if not bands.is_judged or population.is_mostly_one_group:
        return {}
    brier = float((population.counts * bands.confidences**2).sum() / population.pairs)
    brier += share - 2 * share * float(bands.of_known.mean())
    members = np.zeros((int(population.groups.max()) + 1, len(BAND_EDGES) - 1))
    np.add.at(members, (population.groups, _band(bands.of_known)), 1.0)
    drawn = bands.error(intervals.bootstrap(members, draws, random))
    low, high = intervals.percentiles(drawn)
    return {
        "calibration_error": float(bands.error(bands.known)),
        "calibration_error_low": low,
        "calibration_error_high": high,
        "brier_score": brier,
        "brier_skill": 1 - brier / (share * (1 - share)),
    }


def _out_of_fold(
    population: Population, calibration: Calibration, row: dict[str, object], least_links: int
) -> np.ndarray | None:
    """
    Return the confidence of each known pair by what it did not teach: float64[same].

    None where what a fold leaves teaches nothing.
    """
    confidences = calibration.probability(population.same)
    if row["confidence_basis"] != OWN_LINKS:
        return confidences
    folds = _folds(population.groups)
    if len(folds) - np.bincount(folds, minlength=FOLDS).max() < least_links:
        return None
    for fold in np.unique(folds):
        inside = folds == fold
        other = population.fitted(population.linked_share(row["linked_share"]), ~inside)
        if other is None:
            return None
        confidences[inside] = other.probability(population.same[inside])
    return confidences


def _folds(groups: np.ndarray) -> np.ndarray:
    """Return the fold of each pair, the larger groups first into the fold that holds the fewest."""
    sizes = np.bincount(groups)
    folds = np.zeros(len(sizes), np.int64)
    held = np.zeros(FOLDS, np.int64)
    for group in np.argsort(-sizes, kind="stable"):
        folds[group] = held.argmin()
        held[folds[group]] += sizes[group]
    return folds[groups]


def _by_band(confidences: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.bincount(_band(confidences), weights, minlength=len(BAND_EDGES) - 1)


def _band(confidences: np.ndarray) -> np.ndarray:
    return np.clip(
        np.searchsorted(BAND_EDGES, confidences, side="right") - 1, 0, len(BAND_EDGES) - 2
    )
