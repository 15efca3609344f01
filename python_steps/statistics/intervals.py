"""Confidence intervals."""

from __future__ import annotations

from math import sqrt

DEVIATIONS = 1.959963984540054  # of a normal distribution, on either side, at that confidence


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of so many (Wilson 1927)."""
    spread = DEVIATIONS**2 / count
    centre = share + spread / 2
    half = DEVIATIONS * sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, (centre - half) / (1 + spread)), min(1.0, (centre + half) / (1 + spread))
