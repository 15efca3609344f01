"""Plots of several panels, as PNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Shown = TypeVar("Shown")


def panels(
    shown: Sequence[Shown],
    draw: Callable[[Axes, Shown], None],
    *,
    size: tuple[float, float],
    columns: int | None = None,
    legend_width: float = 0.0,
) -> bytes:
    """
    Draw a panel for each thing that is shown.

    Parameters
    ----------
    shown
        What the panels show, at least one, in the order of reading.
    draw
        Called with the axes of each panel, and what it shows.
    size
        Width and height of a panel, in inches.
    columns
        Most panels beside each other; all unless given.
    legend_width
        Inches at the right for one legend, which explains the last panel; 0 draws none.

    Returns
    -------
    bytes
        A PNG; equal drawings give equal bytes.
    """
    # Not pyplot: it keeps figures, and looks for a screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(columns or len(shown), len(shown))
    lines = -(-len(shown) // columns)
    width, height = size
    figure = Figure(figsize=(width * columns + legend_width, height * lines), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for number, each in enumerate(shown, start=1):
        axes = figure.add_subplot(lines, columns, number)
        draw(axes, each)
    if legend_width:
        handles = axes.get_legend_handles_labels()
        figure.legend(*handles, loc="outside right upper", fontsize="small")
    written = io.BytesIO()
    # Without the version of the library, which would differ where nothing else does.
    canvas.print_png(written, metadata={"Software": None})
    return written.getvalue()
