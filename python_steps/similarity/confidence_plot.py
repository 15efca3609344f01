"""Plot confidence against the share of true matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.similarity.confidence import in_space
from python_steps.similarity.confidence_check import WHOLE
from python_steps.statistics.plots import panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def calibration_plot(checked: pa.Table) -> bytes | None:
    """
    Plot the share of true matches against confidence, as PNG.

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
    is_shown = pc.and_(
        pc.not_equal(checked.column("band"), WHOLE), pc.is_valid(checked.column("observed_share"))
    )
    shown = checked.filter(is_shown)
    spaces = sorted(set(shown.column("space").to_pylist()))
    if not spaces:
        return None

    def draw(axes: Axes, space: str) -> None:
        _draw(axes, in_space(shown, space).to_pylist())
        axes.set_title(space.replace("_", " and "))

    return panels(spaces, draw, size=(5.5, 5))


def _draw(axes: Axes, rows: list[dict[str, float]]) -> None:
    """Draw one space; a share of zero stands at the foot of its interval's panel."""
    least = 1e-6
    confidence, share, low, high = (
        np.array([max(row[name], least) for row in rows])
        for name in (
            "mean_confidence",
            "observed_share",
            "observed_share_low",
            "observed_share_high",
        )
    )
    axes.plot([least, 1], [least, 1], color="0.7", linestyle="--", linewidth=1, zorder=0)
    errors = [share - low, high - share]
    axes.errorbar(confidence, share, yerr=errors, fmt="o", markersize=4, capsize=2)
    for row, across, up in zip(rows, confidence, share, strict=True):
        label = f"{row['pairs']:,}"
        axes.annotate(label, (across, up), (6, -3), textcoords="offset points", fontsize="x-small")
    axes.set(xscale="log", yscale="log", xlim=(least, 1.5), ylim=(least, 1.5))
    axes.set(xlabel="mean confidence of the pairs", ylabel="share that is the same (estimated)")
