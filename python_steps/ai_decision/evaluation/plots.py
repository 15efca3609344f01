"""Plot reliability, and precision against recall."""

from __future__ import annotations

import io
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

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def reliability_plot(predictions: pa.Table) -> bytes:
    """
    Plot how often each judge is right where it is how sure, as PNG.

    Parameters
    ----------
    predictions
        Rows of :data:`tables.PREDICTIONS`; a panel for each type of document, a line for each judge
        that tells probabilities. Equal rows give equal bytes.
    """

    def draw(axes: Axes, judge: str, rows: pa.Table) -> None:
        truth, probabilities = bools(rows, "is_ai"), rows.column("probability").to_numpy()
        bins = np.clip(
            (probabilities * BINS_OF_CALIBRATION).astype(int), 0, BINS_OF_CALIBRATION - 1
        )
        counts = np.bincount(bins, minlength=BINS_OF_CALIBRATION)
        held = counts > 0
        told, true = (
            np.bincount(bins, values, minlength=BINS_OF_CALIBRATION)[held] / counts[held]
            for values in (probabilities, truth)
        )
        error = expected_calibration_error(truth, probabilities)
        axes.plot(told, true, marker="o", markersize=4, label=f"{judge} (ECE {error:.3f})")

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
    # Not pyplot: it keeps figures, and looks for a screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    told = predictions.filter(pc.is_valid(predictions.column("probability")))
    kinds = [kind for (kind,) in distinct(told, ["document_type"])]
    figure = Figure(figsize=(5.5 * max(1, len(kinds)), 5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(1, max(1, len(kinds)), squeeze=False)[0]
    for panel, kind in zip(panels, kinds or ["document"], strict=True):
        for judge, _ in distinct(
            with_columns(told, document_type=kind), ["judge", "document_type"]
        ):
            draw(panel, judge, with_columns(told, document_type=kind, judge=judge))
        frame(panel)
        panel.set(xlim=(0, 1.01), ylim=(0, 1.01), title=f"{kind}s", aspect="equal")
        if panel.get_legend_handles_labels()[0]:
            panel.legend(fontsize="small", loc="best")
    written = io.BytesIO()
    # Without the version of the library, which would differ where nothing else does.
    canvas.print_png(written, metadata={"Software": None})
    return written.getvalue()
