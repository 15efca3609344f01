"""Compare the measures of linking with floors, and explain which known pairs were not judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from python_steps.linking import measures, ranking
from python_steps.statistics.report import Floor, Measure, missed

# Why pairs are not judged, with what may be done.
REASONS = {
    "malformed_record": "the row cannot be read",
    "missing_identifier": "the row lacks a paper_id or a patent_id",
    "unknown_paper": "the warehouse has no such paper",
    "unknown_patent": "the warehouse has no such patent",
    "paper_not_ai": "the paper is not AI, or was not assessed",
    "patent_not_ai": "the patent is not AI, or was not assessed",
    "paper_without_year": "the paper has no year",
    "patent_without_year": "the patent has no year",
    "paper_without_vector": "the paper has no vector",
    "patent_without_vector": "the patent has no vector",
    "patent_too_early": "the patent is earlier than the paper, or than the least lag",
    "patent_too_late": "the patent is later than the largest lag",
    ranking.NOT_DRAWN: "sampled out: more than judged_links of this kind",
}
MOST_EXAMPLES = 3


@dataclass(frozen=True)
class Judged:
    """
    What known pairs say of the linking of a warehouse.

    Attributes
    ----------
    given
        Each link: `record_file`, `record_row` (in its file, from 1), `paper_record_id`,
        `patent_record_id`, `kind`, `paper_id`, `patent_id`, and `reason`, null where it is judged.
    ranked
        Rows of :data:`tables.LINKS_RANKED`.
    measured
        Rows of :data:`tables.LINKING_QUALITY`.
    baseline
        The method that others are held against, and floors are about: the vectors that pairs are
        found by.
    calibration
        Rows of :data:`tables.CALIBRATION_CHECK`, which a build makes; None of a file's links.
    """

    given: pa.Table
    ranked: pa.Table
    measured: pa.Table
    baseline: str
    calibration: pa.Table | None = None


def refused(judged: Judged) -> list[str]:
    """Return a sentence for each reason why links were not judged, with the first few links."""
    by_reason: dict[str, list[dict[str, Any]]] = {}
    for row in judged.given.to_pylist():
        if row["reason"]:
            by_reason.setdefault(row["reason"], []).append(row)
    sentences = []
    for reason, rows in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        first = ", ".join(
            f"{row['paper_record_id'] or '?'} – {row['patent_record_id'] or '?'} "  # noqa: RUF001
            f"({Path(row['record_file']).name}, row {row['record_row']})"
            for row in rows[:MOST_EXAMPLES]
        )
        more = ", …" if len(rows) > MOST_EXAMPLES else ""
        sentences.append(f"{len(rows):,} not judged, {REASONS[reason]}: {first}{more}.")
    return sentences


def below(judged: Judged, floors: Sequence[tuple[str, float]]) -> list[str]:
    """Return a sentence for each floor that known pairs of the same invention miss."""
    rows = [
        row
        for row in judged.measured.to_pylist()
        if row["kind"] == measures.ALL_SAME
        and row["method"] == judged.baseline
        and row["reranked_candidates"] is None
    ]
    if floors and not rows:
        return ["There are no known pairs of the same invention to judge, so no floor is reached."]
    return missed(
        (
            Measure(f"{name} of {judged.baseline}", row[name], f"{row['pairs']:,} pairs"),
            Floor(value),
        )
        for row in rows
        for name, value in floors
    )


def kinds_in_order(measured: pa.Table) -> list[str]:
    """Return the kinds by name, at the top all that are the same where these are of two or more."""
    same = measured.filter(pc.fill_null(measured.column("is_same"), False))
    count = len(set(same.column("kind").to_pylist()) - {measures.ALL_SAME})
    kinds = sorted(set(measured.column("kind").to_pylist()) - {measures.ALL_SAME})
    return [measures.ALL_SAME, *kinds] if count > 1 else kinds


def place_of(row: Mapping[str, Any], baseline: str | None = None) -> tuple[object, ...]:
    """Order ways of comparing: the baseline, single ones, fused ones, those in another order."""
    method = row["method"]
    reranked = row["reranked_candidates"] or 0
    return reranked > 0, method != baseline, method.count("+"), method, reranked
