"""Plot the measures of linking."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from python_steps.linking import measures
from python_steps.linking.report import place_of

PLOTTED_RANKS = 50
PLOTTED_KINDS = 6


GAIN = "mean_reciprocal_rank_gain"


def plot(ranked: pa.Table) -> bytes:
    """
    Plot the share of patents found among the first so many, as PNG.

    Parameters
    ----------
    ranked
        Rows of :data:`tables.LINKS_RANKED`; a panel for all that are the same where these are of
        two kinds or more, and one for each of the largest kinds; a line for each way of comparing
        that ranks all patents. Equal rows give equal bytes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [row for row in ranked.to_pylist() if row["reranked_candidates"] is None]
    panels = _panels(rows)
    methods = list(dict.fromkeys(row["method"] for row in sorted(rows, key=place_of)))
    figure = Figure(figsize=(4 * len(panels) + 2.5, 4), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    places = range(1, PLOTTED_RANKS + 1)
    for number, (kind, members) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), number)
        for method in methods:
            ranks = [row["rank"] for row in members if row["method"] == method]
            held = Counter(rank for rank in ranks if rank is not None)
            shares = [sum(held[each] for each in range(1, k + 1)) / len(ranks) for k in places]
            axes.step(list(places), shares, where="post", label=method)
        # A kind is anybody's text, and what stands between two dollar signs need not be a formula.
        title = f"{kind}: {len(ranks):,} pairs"
        axes.set_title(title, fontsize="medium", parse_math=False)
        axes.set(xscale="log", xlim=(1, PLOTTED_RANKS), ylim=(0, 1.02), xlabel="patents looked at")
        axes.set_xticks([1, 2, 5, 10, 20, PLOTTED_RANKS], ["1", "2", "5", "10", "20", "50"])
        if number == 1:
            axes.set_ylabel("right patent among them")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    picture = io.BytesIO()
    canvas.print_png(picture, metadata={"Software": None})
    return picture.getvalue()


def _panels(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the rows of each panel, by the name of it."""
    counts = Counter(row["kind"] for row in rows)
    largest = sorted(counts, key=lambda kind: (-counts[kind], kind))[:PLOTTED_KINDS]
    same = [row for row in rows if row["is_same"]]
    together = {measures.ALL_SAME: same} if len({row["kind"] for row in same}) > 1 else {}
    return together | {
        kind: [row for row in rows if row["kind"] == kind] for kind in sorted(largest)
    }
