"""Which years of a source are complete: see python_steps/statistics/completeness.py for how."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa

from python_steps import tables
from python_steps.statistics.completeness import MONTHS, Cohorts, shares

LEAST = 200  # documents with a known lag; fewer tell too little
SPAN = 11  # years up to the last one that are told of though they hold no document
STRETCH = 1.5  # assumed lags are so many times longer or shorter at the ends of their interval

Key = tuple[str, str, str, str | None, str]


def complete_years(lags: pa.Table, until: pa.Table, known: pa.Table) -> pa.Table:
    """
    Estimate for each year the share of its documents that can be visible.

    Parameters
    ----------
    lags
        Columns `source_system`, `source_name`, `document_type`, `office_code` (null for papers),
        `year_kind`, `year`, `event_month` and `lag_months` (null where not known; months are
        numbered from the year 0) and `documents`.
    until
        The last day on which something of a source appeared: `source_system`, `source_name`,
        `document_type`, `data_until`.
    known
        The seed known_lags.

    Returns
    -------
    pa.Table
        Rows of `tables.YEARS_COMPLETED`. An office whose own lags are fewer than LEAST has those
        of all offices of its source; a source with fewer has the known ones, and says `assumed`.
    """
    dates = {
        (row["source_system"], row["source_name"], row["document_type"]): row["data_until"]
        for row in until.to_pylist()
    }
    assumed = _known(known)
    found: list[dict] = []
    for source, by_key in _grouped(lags).items():
        for kind in sorted({key[4] for key in by_key}):
            cells = {key[3]: rows for key, rows in by_key.items() if key[4] == kind}
            found += _of_kind(source, kind, cells, dates.get(source), assumed)
    return pa.Table.from_pylist(found, schema=tables.YEARS_COMPLETED)


def _grouped(lags: pa.Table) -> dict[tuple[str, str, str], dict[Key, list[tuple]]]:
    """Return cells (year, event month, lag, documents) by source, office and kind of year."""
    grouped: dict = defaultdict(lambda: defaultdict(list))
    for row in lags.to_pylist():
        source = (row["source_system"], row["source_name"], row["document_type"])
        cell = (row["year"], row["event_month"], row["lag_months"], row["documents"])
        grouped[source][(*source, row["office_code"], row["year_kind"])].append(cell)
    return grouped


def _of_kind(
    source: tuple[str, str, str],
    kind: str,
    by_office: dict[str | None, list[tuple]],
    data_until: date | None,
    assumed: dict,
) -> Iterator[dict]:
    """Yield the rows of a source and kind of year, office by office."""
    everywhere = [cell for cells in by_office.values() for cell in cells]
    last_year = max(cell[0] for cell in everywhere)
    day = data_until or date(last_year, 12, 31)
    pooled = _estimate(everywhere, day, last_year) if data_until else None
    for office in sorted(by_office, key=str):
        cells = by_office[office]
        own = _estimate(cells, day, last_year) if data_until and len(by_office) > 1 else pooled
        documents: dict[int, int] = defaultdict(int)
        for year, _, _, count in cells:
            documents[year] += count
        observed = own or pooled
        for year in sorted({*documents, *range(day.year - SPAN + 1, day.year + 1)}):
            if observed:
                share, low, high = observed.get(year, (1.0, 1.0, 1.0))
            else:
                share, low, high = _assumed(assumed, (source[2], office, kind), year, day)
            yield {
                **dict(zip(("source_system", "source_name", "document_type"), source, strict=True)),
                "office_code": office,
                "year_kind": kind,
                "year": year,
                "documents": documents.get(year, 0),
                "data_until": day,
                "expected_share": share,
                "expected_share_low": low,
                "expected_share_high": high,
                "basis": "observed" if observed else "assumed",
            }


def _estimate(
    cells: list[tuple], day: date, last_year: int
) -> dict[int, tuple[float, float, float]] | None:
    """Return years to shares by the lags of the cells; None of too few. Older years are whole."""
    last, fraction = _last_month(day)
    known = np.array([cell[1:] for cell in cells if cell[2] is not None], dtype=np.int64)
    known = known.reshape(-1, 3)
    known = known[known[:, 0] + known[:, 1] <= last]
    if known[:, 2].sum() < LEAST:
        return None
    cohorts = Cohorts.of(known[:, 0], known[:, 1], known[:, 2])
    years = range(day.year - SPAN + 1, max(day.year, last_year) + 1)
    return dict(zip(years, shares(cohorts, years, last, fraction), strict=True))


def _last_month(day: date) -> tuple[int, float]:
    """Return the last whole month before a day has passed, and the share of the next that has."""
    month = day.year * MONTHS + day.month - 1
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    length = (following - day.replace(day=1)).days
    return (month, 0.0) if day.day == length else (month - 1, day.day / length)


def _known(known: pa.Table) -> dict[tuple[str, str, str], tuple[np.ndarray, np.ndarray]]:
    """Return months and shares, both ascending, by document type, office and kind of year."""
    points: dict = defaultdict(list)
    for row in known.to_pylist():
        key = (row["document_type"], row["office_code"], row["year_kind"])
        points[key].append((row["months"], row["share"]))
    return {key: tuple(np.array(sorted(found), dtype=float).T) for key, found in points.items()}


def _assumed(
    known: dict, key: tuple[str, str | None, str], year: int, day: date
) -> tuple[float, float, float]:
    """Return the share by known lags, and that by longer and by shorter ones."""
    document_type, office, kind = key
    months, points = known.get((document_type, office, kind)) or known[document_type, "*", kind]
    last, fraction = _last_month(day)
    # Events are in the middle of their month.
    ages = last + 1 + fraction - (year * MONTHS + np.arange(MONTHS)) - 0.5

    def share(stretch: float) -> float:
        at = np.concatenate([[0.0], months * stretch])
        return float(np.where(ages < 0, 0, np.interp(ages, at, [0.0, *points])).mean())

    return share(1.0), share(STRETCH), share(1 / STRETCH)
