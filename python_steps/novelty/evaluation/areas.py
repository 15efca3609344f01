"""Areas under the curve, with DeLong's standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Areas:
    """
    Areas under the curve, of several scorers.

    Attributes
    ----------
    values
        float64[scorers]: how often a real document is the more ordinary one of two, ties counting
        half.
    covariance
        Of these: float64[scorers, scorers].
    documents, others
        Real and made-up documents that were compared.
    """

    values: np.ndarray
    covariance: np.ndarray
    documents: int
    others: int


def areas_within_size(
    real: np.ndarray, others: np.ndarray, real_sizes: np.ndarray, other_sizes: np.ndarray
) -> Areas | None:
    """
    Return areas under the curve between documents of one size, the mean over real documents.

    With the covariance of DeLong, DeLong & Clarke-Pearson 1988 (Biometrics 44:837), which needs two
    documents on either side: other sizes are left out. Costs a sort of each size.

    Parameters
    ----------
    real, others
        How ordinary documents are: float64[scorers, documents] and float64[scorers, others].
    real_sizes, other_sizes
        Keywords of each.

    Returns
    -------
    Areas | None
        None where no size is left.
    """
    parts = []
    for size in np.intersect1d(real_sizes, other_sizes):
        sides = real[:, real_sizes == size], others[:, other_sizes == size]
        if min(side.shape[1] for side in sides) >= 2:
            parts.append(_delong(*sides))
    return together(parts)


def _delong(real: np.ndarray, others: np.ndarray) -> Areas:
    from scipy.stats import rankdata

    here, there = real.shape[1], others.shape[1]
    ranks = rankdata(np.concatenate([real, others], axis=1), axis=1)
    # The share of the other side that each document is on the right side of.
    of_real = (ranks[:, :here] - rankdata(real, axis=1)) / there
    of_others = 1 - (ranks[:, here:] - rankdata(others, axis=1)) / here
    covariance = np.cov(of_real) / here + np.cov(of_others) / there
    return Areas(of_real.mean(axis=1), np.atleast_2d(covariance), here, there)


def together(parts: Sequence[Areas]) -> Areas | None:
    """Return the mean of independent areas, weighted by their real documents; None of none."""
    if not parts:
        return None
    documents = sum(part.documents for part in parts)
    shares = [part.documents / documents for part in parts]
    return Areas(
        sum(share * part.values for share, part in zip(shares, parts, strict=True)),
        sum(share**2 * part.covariance for share, part in zip(shares, parts, strict=True)),
        documents,
        sum(part.others for part in parts),
    )
