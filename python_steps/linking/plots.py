"""Plot the measures of linking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from python_steps.linking import measures
from python_steps.linking.report import place_of
from python_steps.statistics.plots import panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOTTED_RANKS = 50
PLOTTED_KINDS = 6


GAIN = "mean_reciprocal_rank_gain"


def plot(ranked: pa.Table) -> bytes:
    """
    Plot the share of known patents found within each rank, as PNG.

    Parameters
    ----------
    ranked
        Rows of :data:`tables.LINKS_RANKED`; a panel for all that are the same where these are of
        two kinds or more, and one for each of the largest kinds; a line for each way of comparing
        that ranks all patents. Equal rows give equal bytes.
    """
    rows = [row for row in ranked.to_pylist() if row["reranked_candidates"] is None]
    methods = list(dict.fromkeys(row["method"] for row in sorted(rows, key=place_of)))
    kinds = _kinds(rows)
    first = next(iter(kinds))
    depths = range(1, PLOTTED_RANKS + 1)

    def draw(axes: Axes, kind: str) -> None:
        for method in methods:
            ranks = [row["rank"] for row in kinds[kind] if row["method"] == method]
            at = Counter(rank for rank in ranks if rank is not None)
            shares = [sum(at[each] for each in range(1, k + 1)) / len(ranks) for k in depths]
            axes.step(list(depths), shares, where="post", label=method)
        # A kind is anybody's text, and what stands between two dollar signs need not be a formula.
        title = f"{kind}: {len(ranks):,} pairs"
        axes.set_title(title, fontsize="medium", parse_math=False)
        axes.set(xscale="log", xlim=(1, PLOTTED_RANKS), ylim=(0, 1.02), xlabel="patents looked at")
        axes.set_xticks([1, 2, 5, 10, 20, PLOTTED_RANKS], ["1", "2", "5", "10", "20", "50"])
        if kind == first:
            axes.set_ylabel("right patent among them")

    return panels(list(kinds), draw, size=(4, 4), legend_width=2.5)


def _kinds(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the rows of each kind that is plotted, by its name."""
    counts = Counter(row["kind"] for row in rows)
    largest = sorted(counts, key=lambda kind: (-counts[kind], kind))[:PLOTTED_KINDS]
    same = [row for row in rows if row["is_same"]]
    together = {measures.ALL_SAME: same} if len({row["kind"] for row in same}) > 1 else {}
    return together | {
        kind: [row for row in rows if row["kind"] == kind] for kind in sorted(largest)
    }
