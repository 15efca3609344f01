"""Plot reliability, and precision against recall."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.ai_decision.evaluation import measures
from python_steps.ai_decision.evaluation.measures import (
    BINS_OF_CALIBRATION,
    bools,
    distinct,
    expected_calibration_error,
    measures_of,
    with_columns,
)
from python_steps.statistics.plots import panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def reliability_plot(predictions: pa.Table) -> bytes:
    """
    Plot the share that is AI against the probability of each judge, as PNG.

    Parameters
    ----------
    predictions
        Rows of :data:`tables.PREDICTIONS`; a panel for each type of document, a line for each judge
        that gives probabilities. Equal rows give equal bytes.
    """

    def draw(axes: Axes, judge: str, rows: pa.Table) -> None:
        truth, probabilities = bools(rows, "is_ai"), rows.column("probability").to_numpy()
        bins = np.clip(
            (probabilities * BINS_OF_CALIBRATION).astype(int), 0, BINS_OF_CALIBRATION - 1
        )
        counts = np.bincount(bins, minlength=BINS_OF_CALIBRATION)
        is_filled = counts > 0
        mean, share = (
            np.bincount(bins, values, minlength=BINS_OF_CALIBRATION)[is_filled] / counts[is_filled]
            for values in (probabilities, truth)
        )
        error = expected_calibration_error(truth, probabilities)
        axes.plot(mean, share, marker="o", markersize=4, label=f"{judge} (ECE {error:.3f})")

    def frame(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color="0.7", linestyle="--", linewidth=1, zorder=0)
        axes.set_xlabel("mean probability")
        axes.set_ylabel("share that is AI")

    return _plotted(predictions, draw, frame)


def precision_recall_plot(predictions: pa.Table) -> bytes:
    """
    Plot precision against recall for every threshold, and the point in use, as PNG.

    Parameters
    ----------
    predictions
        As for :func:`reliability_plot`.
    """

    def draw(axes: Axes, judge: str, rows: pa.Table) -> None:
        from sklearn.metrics import precision_recall_curve

        truth, probabilities = bools(rows, "is_ai"), rows.column("probability").to_numpy()
        if not truth.any():
            return
        precision, recall, _ = precision_recall_curve(truth, probabilities, drop_intermediate=True)
        area = measures.average_precision(truth, probabilities)
        label = f"{judge} (average {area:.3f})"
        (line,) = axes.step(recall, precision, where="post", label=label)
        used = measures_of(truth, bools(rows, "is_accepted"), probabilities)
        axes.plot(used["recall"], used["precision"], marker="o", color=line.get_color())

    def frame(axes: Axes) -> None:
        axes.set_xlabel("recall")
        axes.set_ylabel("precision")

    return _plotted(predictions, draw, frame)


def _plotted(
    predictions: pa.Table,
    draw: Callable[[Axes, str, pa.Table], None],
    frame: Callable[[Axes], None],
) -> bytes:
    """Return a PNG with a panel for each type of document."""
    scored = predictions.filter(pc.is_valid(predictions.column("probability")))

    def panel(axes: Axes, kind: str) -> None:
        of_kind = with_columns(scored, document_type=kind)
        for judge, _ in distinct(of_kind, ["judge", "document_type"]):
            draw(axes, judge, with_columns(of_kind, judge=judge))
        frame(axes)
        axes.set(xlim=(0, 1.01), ylim=(0, 1.01), title=f"{kind}s", aspect="equal")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize="small", loc="best")

    kinds = [kind for (kind,) in distinct(scored, ["document_type"])]
    return panels(kinds or ["document"], panel, size=(5.5, 5))
