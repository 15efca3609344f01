"""Plot the evaluation of novelty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from python_steps.novelty.evaluation import options
from python_steps.novelty.evaluation.options import BLOCK, PMI, Row, corpora_of
from python_steps.statistics.plots import panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_VENUES_IN_A_PLOT = 40


def area_plot(measured: pa.Table) -> bytes | None:
    """
    Plot how often a real document surprises less than one of redealt keywords, by year, as PNG.

    Parameters
    ----------
    measured
        Rows of :data:`python_steps.novelty.evaluation.options.EVALUATION`; a panel for each corpus.
        Equal rows give equal bytes.

    Returns
    -------
    bytes | None
        None where there is nothing to show.
    """
    lines = (
        (options.DEGREE_MATCHED, BLOCK, "tab:blue", "block model"),
        (options.DEGREE_MATCHED, PMI, "tab:orange", "mean PMI"),
        (options.SHUFFLED, BLOCK, "0.6", "block model, keywords shuffled"),
    )

    def draw(axes: Axes, rows: list[Row]) -> None:
        for measure, scorer, colour, label in lines:
            line = [row for row in rows if (row["measure"], row["scorer"]) == (measure, scorer)]
            years, values, low, high = (
                [row[name] for row in line] for name in ("year", "value", "low", "high")
            )
            axes.plot(years, values, marker="o", markersize=3, color=colour, label=label)
            axes.fill_between(years, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.axhline(0.5, color="0.8", linewidth=1, zorder=0)
        axes.set(xlabel="year", ylabel="AUC", ylim=(0.4, 1.0))
        axes.locator_params(axis="x", integer=True)
        axes.legend(fontsize="small", loc="best")

    measures = pa.array([options.DEGREE_MATCHED, options.SHUFFLED])
    is_shown = pc.is_in(measured.column("measure"), measures)
    return _of_corpora(
        measured.filter(pc.and_(is_shown, pc.is_valid(measured.column("year")))), draw
    )


def size_plot(measured: pa.Table) -> bytes | None:
    """Plot the mean novelty by number of known keywords, as :func:`area_plot` does."""

    def draw(axes: Axes, rows: list[Row]) -> None:
        places = range(len(rows))
        axes.errorbar(places, _values(rows), yerr=_errors(rows), fmt="o", markersize=4, capsize=2)
        labels = [f"{row['group']}\n{row['documents']:,}" for row in rows]
        axes.set_xticks(places, labels, fontsize="small")
        axes.axhline(0.5, color="0.8", linewidth=1, zorder=0)
        axes.set(xlabel="known keywords, and documents", ylabel="mean novelty", ylim=(0, 1))

    return _of_corpora(measured.filter(pc.equal(measured.column("measure"), options.BY_SIZE)), draw)


def field_plot(measured: pa.Table) -> bytes | None:
    """Plot how much more novel the most cited tenth is, by venue, as :func:`area_plot` does."""

    def draw(axes: Axes, rows: list[Row]) -> None:
        overall, *venues = rows
        venues = sorted(venues, key=lambda row: (-row["documents"] - row["others"], row["group"]))
        venues = sorted(venues[:MOST_VENUES_IN_A_PLOT], key=lambda row: row["group"])
        shown = [*reversed(venues), overall]
        places = range(len(shown))
        axes.errorbar(_values(shown), places, xerr=_errors(shown), fmt="o", markersize=4, capsize=2)
        labels = [
            f"{row['group'] or 'all venues'} ({row['documents'] + row['others']:,})"
            for row in shown
        ]
        axes.set_yticks(places, labels, fontsize="small")
        axes.axvline(0, color="0.8", linewidth=1, zorder=0)
        axes.set(xlabel="novelty percentile, most cited tenth less others")

    is_shown = pc.and_(
        pc.equal(measured.column("measure"), options.HIGHLY_CITED),
        pc.equal(measured.column("scorer"), options.PERCENTILE),
    )
    rows = measured.filter(is_shown)
    most = max(rows.column("corpus").value_counts().field("counts").to_pylist(), default=0)
    return _of_corpora(rows, draw, height=1.5 + 0.2 * min(most, MOST_VENUES_IN_A_PLOT + 1))


def _values(rows: Sequence[Row]) -> list[float]:
    return [row["value"] for row in rows]


def _errors(rows: Sequence[Row]) -> list[list[float]]:
    """Return how far intervals reach to either side; nothing where there is none."""
    return [
        [0.0 if row[end] is None else abs(row[end] - row["value"]) for row in rows]
        for end in ("low", "high")
    ]


def _of_corpora(
    rows: pa.Table, draw: Callable[[Axes, list[Row]], None], *, height: float = 4.0
) -> bytes | None:
    """Return a PNG with a panel for each corpus; None without rows."""
    corpora = corpora_of(rows)
    if not corpora:
        return None

    def panel(axes: Axes, corpus: str) -> None:
        draw(axes, [row for row in rows.to_pylist() if row["corpus"] == corpus])
        axes.set_title(corpus.replace("_", " "))

    return panels(corpora, panel, size=(6, height), columns=2)
