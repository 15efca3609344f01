"""Plot confidence against the share of true matches."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.similarity.confidence import in_space
from python_steps.similarity.confidence_check import WHOLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    spaces = sorted(set(shown.column("space").to_pylist()))
    if not spaces:
        return None
    figure = Figure(figsize=(5.5 * len(spaces), 5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for panel, space in zip(figure.subplots(1, len(spaces), squeeze=False)[0], spaces, strict=True):
        _draw(panel, in_space(shown, space).to_pylist())
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
