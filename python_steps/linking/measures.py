"""Measure how often the known patent of a paper is found, with intervals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import tables
from python_steps.statistics.intervals import bootstrap, percentiles, wilson

# The pairs of all kinds that say the same invention, together.
ALL_SAME = "all_same"


DRAWS = 1000
MEASURES = ("hit_at_1", "hit_at_10", "mean_reciprocal_rank")


def measure(ranked: pa.Table, *, baseline: str, draws: int = DRAWS, seed: int = 0) -> pa.Table:
    """
    Measure each way of comparing by the ranks of known pairs.

    Parameters
    ----------
    ranked
        Rows of :data:`tables.LINKS_RANKED`.
    baseline
        The method that others are held against.
    draws, seed
        Of the bootstrap; the interval of a kind does not depend on the other kinds.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.LINKING_QUALITY`, for each kind and :data:`ALL_SAME`. Pairs count
        alike. The 95 % intervals of shares are Wilson's (1927) with the number of papers, since
        pairs of one paper are no more than one look; the others are percentiles of a bootstrap
        (Efron 1979) over papers, the same draws for both methods of a difference.
    """
    rows = []
    kinds = [(kind, pc.equal(ranked.column("kind"), kind)) for kind in _values(ranked, "kind")]
    same = pc.fill_null(ranked.column("is_same"), False)
    for kind, members in [*kinds, (ALL_SAME, same)]:
        rows += _measured(ranked.filter(members), kind, baseline, draws, seed)
    return pa.Table.from_pylist(rows, schema=tables.LINKING_QUALITY)


def _measured(
    ranked: pa.Table, kind: str, baseline: str, draws: int, seed: int
) -> Iterator[dict[str, object]]:
    """Yield the rows of one kind of pairs."""
    by_way: dict[tuple[str, int | None], list[dict[str, object]]] = {}
    by = [("paper_id", "ascending"), ("patent_id", "ascending")]
    for row in ranked.sort_by(by).to_pylist():
        by_way.setdefault((row["method"], row["reranked_candidates"]), []).append(row)
    if not by_way:
        return
    of_baseline = by_way[baseline, None]
    papers, members = np.unique([row["paper_id"] for row in of_baseline], return_inverse=True)
    pairs = np.bincount(members).astype(np.float64)
    sums = {way: _sums(rows, members) for way, rows in by_way.items()}
    gains = {way: of_way - sums[baseline, None] for way, of_way in sums.items()}
    name = int.from_bytes(hashlib.sha256(kind.encode()).digest()[:8])
    # The same draws for all ways, so that a difference is drawn on the same papers.
    total, *drawn = bootstrap(
        np.concatenate([pairs[:, None], *sums.values(), *gains.values()], axis=1),
        draws,
        np.random.default_rng([seed, name]),
    ).T
    drawn_sums, drawn_gains = np.split(np.stack(drawn) / total, 2)
    for place, (method, reranked) in enumerate(sums):
        yield {
            "kind": kind,
            "is_same": True if kind == ALL_SAME else of_baseline[0]["is_same"],
            "method": method,
            "reranked_candidates": reranked,
            "pairs": len(of_baseline),
            "papers": len(papers),
            "eligible_patents": float(np.mean([pair["eligible_patents"] for pair in of_baseline])),
        } | _figures(
            sums[method, reranked].sum(axis=0) / pairs.sum(),
            gains[method, reranked].sum(axis=0) / pairs.sum(),
            drawn_sums[place * len(MEASURES) :],
            drawn_gains[place * len(MEASURES) :],
            len(papers),
        )


def _figures(
    values: np.ndarray,
    gains: np.ndarray,
    drawn_values: np.ndarray,
    drawn_gains: np.ndarray,
    papers: int,
) -> dict[str, float]:
    """Return each measure with its interval, and its gain with its interval."""
    figures = {}
    for place, name in enumerate(MEASURES):
        if name == "mean_reciprocal_rank":
            low, high = percentiles(drawn_values[place])
        else:
            low, high = wilson(float(values[place]), papers)
        gain_low, gain_high = percentiles(drawn_gains[place])
        figures |= {
            name: float(values[place]),
            f"{name}_low": low,
            f"{name}_high": high,
            f"{name}_gain": float(gains[place]),
            f"{name}_gain_low": gain_low,
            f"{name}_gain_high": gain_high,
        }
    return figures


def _sums(rows: Sequence[Mapping[str, object]], members: np.ndarray) -> np.ndarray:
    """Return the sums of each measure over the pairs of each paper, float64[papers, measures]."""
    ranks = np.array([np.inf if row["rank"] is None else row["rank"] for row in rows])
    each = (ranks == 1, ranks <= 10, 1 / ranks)
    return np.stack([np.bincount(members, values.astype(np.float64)) for values in each], axis=1)


def _values(ranked: pa.Table, name: str) -> list[str]:
    return sorted(set(ranked.column(name).to_pylist()))
