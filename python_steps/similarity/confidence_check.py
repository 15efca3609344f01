"""Check confidence by known pairs it was not fitted on."""

from __future__ import annotations

import itertools
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
            ends = (known_share, *intervals.wilson(known_share, len(of_known)))
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


def _by_band(told: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.bincount(_band(told), weights, minlength=len(BAND_EDGES) - 1)


def _band(told: np.ndarray) -> np.ndarray:
    return np.clip(np.searchsorted(BAND_EDGES, told, side="right") - 1, 0, len(BAND_EDGES) - 2)
