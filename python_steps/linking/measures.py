"""How often the known patent of a paper is found, with intervals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import tables
from python_steps.statistics.intervals import wilson

# The pairs of all kinds that say the same invention, together.
ALL_SAME = "all_same"


DRAWS = 1000
CONFIDENCE = 0.95
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
    by_way: dict[tuple[str, int | None], list[dict[str, object]]] = {}
    by = [("paper_id", "ascending"), ("patent_id", "ascending")]
    for row in ranked.sort_by(by).to_pylist():
        by_way.setdefault((row["method"], row["reranked_candidates"]), []).append(row)
    if not by_way:
        return
    some = by_way[baseline, None]
    papers, members = np.unique([row["paper_id"] for row in some], return_inverse=True)
    sums = {way: _sums(rows, members) for way, rows in by_way.items()}
    pairs = np.bincount(members).astype(np.float64)
    name = int.from_bytes(hashlib.sha256(kind.encode()).digest()[:8])
    random = np.random.default_rng([seed, name])
    even = np.full(len(papers), 1 / len(papers))
    drawn = random.multinomial(len(papers), even, size=draws).astype(np.float64)
    total = drawn @ pairs
    of_baseline = sums[baseline, None]
    tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    for (method, reranked), of_way in sums.items():
        row = {
            "kind": kind,
            "is_same": True if kind == ALL_SAME else some[0]["is_same"],
            "method": method,
            "reranked_candidates": reranked,
            "pairs": len(some),
            "papers": len(papers),
            "eligible_patents": float(np.mean([pair["eligible_patents"] for pair in some])),
        }
        for place, measure_name in enumerate(MEASURES):
            value = of_way[:, place].sum() / pairs.sum()
            if measure_name == "mean_reciprocal_rank":
                low, high = np.quantile(_weighted(drawn, of_way[:, place]) / total, tails)
            else:
                low, high = wilson(value, len(papers))
            gained = of_way[:, place] - of_baseline[:, place]
            gain_low, gain_high = np.quantile(_weighted(drawn, gained) / total, tails)
            row |= {
                measure_name: float(value),
                f"{measure_name}_low": float(low),
                f"{measure_name}_high": float(high),
                f"{measure_name}_gain": float(gained.sum() / pairs.sum()),
                f"{measure_name}_gain_low": float(gain_low),
                f"{measure_name}_gain_high": float(gain_high),
            }
        yield row


def _sums(rows: Sequence[Mapping[str, object]], members: np.ndarray) -> np.ndarray:
    """Return the sums of each measure over the pairs of each paper, float64[papers, measures]."""
    ranks = np.array([np.inf if row["rank"] is None else row["rank"] for row in rows])
    each = (ranks == 1, ranks <= 10, 1 / ranks)
    return np.stack([np.bincount(members, values.astype(np.float64)) for values in each], axis=1)


def _weighted(drawn: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the sum of values in each draw, in an order that no number of cores changes."""
    return np.einsum("ij,j->i", drawn, values)


def _values(ranked: pa.Table, name: str) -> list[str]:
    return sorted(set(ranked.column(name).to_pylist()))
