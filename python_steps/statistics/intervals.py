"""Confidence intervals."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np

CONFIDENCE = 0.95
DEVIATIONS = 1.959963984540054  # standard deviations on either side that hold 95 % of a normal
NUMBERS_DRAWN_AT_ONCE = 1_000_000  # 8 MB


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share among `count` observations (Wilson 1927)."""
    spread = DEVIATIONS**2 / count
    centre = share + spread / 2
    half = DEVIATIONS * sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, (centre - half) / (1 + spread)), min(1.0, (centre + half) / (1 + spread))


def percentiles(values: np.ndarray) -> tuple[float, float]:
    """
    Return the ends of the middle 95 % of bootstrapped values.

    Parameters
    ----------
    values
        float64 of shape [draws]; nan where a draw has no value.

    Returns
    -------
    tuple[float, float]
        Low and high end; nan where no draw has a value.
    """
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def samples(counts: np.ndarray, draws: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """
    Draw bootstrap samples (Efron 1979): as many members as there are, with replacement.

    Parameters
    ----------
    counts
        Members of each cell: integers of shape [cells]. Members of a cell count alike, so that
        only the number drawn from each cell is drawn, which is multinomial.
    draws
        How many samples.
    random
        Source of chance.

    Yields
    ------
    np.ndarray
        int64 of shape [some draws, cells]: how often each cell is drawn. Some 8 MB at a time; the
        numbers do not depend on how many come at a time.
    """
    members = counts.sum()
    at_once = max(1, NUMBERS_DRAWN_AT_ONCE // len(counts))
    for start in range(0, draws, at_once):
        size = min(at_once, draws - start)
        yield random.multinomial(members, counts / members, size=size)


def sums_of(sample: np.ndarray, values: np.ndarray) -> np.ndarray:
    """
    Return sums over samples.

    Parameters
    ----------
    sample
        How often each cell is drawn: integers of shape [draws, cells].
    values
        What each member of a cell adds: float64 of shape [cells, columns].

    Returns
    -------
    np.ndarray
        float64 of shape [draws, columns].
    """
    weights = sample.astype(np.float64)
    # Not a product of matrices: the order of its sums follows the number of cores.
    return np.stack([np.einsum("ij,j->i", weights, column) for column in values.T.copy()], axis=1)


def bootstrap(values: np.ndarray, draws: int, random: np.random.Generator) -> np.ndarray:
    """
    Return sums over bootstrap samples of members that are drawn one by one.

    Costs draws times members times columns; memory is 8 MB beside the result.

    Parameters
    ----------
    values
        What each member adds to each sum: float64 of shape [members, columns].
    draws
        How many samples.
    random
        Source of chance.

    Returns
    -------
    np.ndarray
        float64 of shape [draws, columns].
    """
    one_each = np.ones(len(values), np.int64)
    return np.concatenate([sums_of(part, values) for part in samples(one_each, draws, random)])
