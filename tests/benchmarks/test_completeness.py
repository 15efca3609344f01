"""
How well the share of a year that can be visible is estimated: real patents, cut at earlier days.

Cohorts of filings (or priorities) that are whole by now are cut at the end of earlier years, and
the share of each year that was published by then is estimated from what was to be seen. Some of
the sets may only judge and never fit anything that ships, so results are split by that. Everything
takes about a minute:

    pytest -m slow tests/benchmarks/test_completeness.py -s
"""

from collections import defaultdict

import duckdb
import numpy as np
import pytest

from python_steps.statistics.completeness import LONGEST, MONTHS, Cohorts, shares
from tests import real_data

pytestmark = pytest.mark.slow

LEAST = 200  # as python_steps/documents/completeness.py asks for
WHOLE = 84  # months after its end, a year of filings is taken for whole
CUTS = 25  # years before the end of the data at which they are cut


def cohorts():
    """Return events, lags and documents in months, by set, kind of year and office."""
    dates = real_data.path_of("patents_ai_dates.parquet")
    detailed = real_data.path_of("patents_detailed.parquet")
    rows = duckdb.sql(
        f"""
        with given as (
            select 'ai' as name, 'filing' as kind, office, filing_date as event, publication_date
            from '{dates}'
            union all
            select source, 'filing', office, filing_date, publication_date from '{detailed}'
            union all
            select source, 'priority', office, priority_date, publication_date from '{detailed}'
        )
        select
            name, kind, office, (year(event) * 12 + month(event) - 1)::integer as month,
            year(publication_date) * 12 + month(publication_date) - 1 - month as lag, count(*)
        from given where publication_date >= event and lag <= {LONGEST} group by all order by all
        """
    ).fetchall()
    found = defaultdict(list)
    for name, kind, office, *cell in rows:
        found[name, kind, office].append(cell)
    return {key: np.array(cells) for key, cells in found.items()}


def judged():
    """Yield set, age of the year at the cut, truth, and the estimate with its interval."""
    for (name, _, _), cells in cohorts().items():
        months, lags, documents = cells.T
        end = int((months + lags).max()) - 1
        for cut in range((end - 60) // MONTHS * MONTHS, end - 60 - CUTS * MONTHS, -MONTHS):
            is_seen = months + lags < cut
            year = cut // MONTHS
            years = [y for y in range(year - 6, year) if end - (y + 1) * MONTHS >= WHOLE]
            if documents[is_seen].sum() < LEAST or not years:
                continue
            seen = Cohorts.of(months[is_seen], lags[is_seen], documents[is_seen])
            estimates = shares(seen, range(years[0], years[-1] + 1), cut - 1, 0.0)
            for of, estimate in zip(years, estimates, strict=True):
                is_of_year = months // MONTHS == of
                whole = documents[is_of_year].sum()
                if whole >= 20:
                    yield name, year - of, documents[is_of_year & is_seen].sum() / whole, *estimate


def told(rows):
    """Return how often the interval holds, both mean errors, and its mean width."""
    truth, share, low, high = np.array([row[2:] for row in rows]).T
    held = np.mean((low - 1e-9 <= truth) & (truth <= high + 1e-9))
    error, naive = np.abs(share - truth).mean(), np.abs(1 - truth).mean()
    width = np.mean(high - low)
    return held, error, naive, width


def test_intervals_hold_the_truth_and_the_estimate_is_nearer_than_the_count(report):
    rows = list(judged())
    groups = {"all": rows}
    for age in range(1, 7):
        groups[f"{age} years old"] = [row for row in rows if row[1] == age]
    groups["only to judge by"] = [row for row in rows if row[0].startswith("lens")]
    groups["others"] = [row for row in rows if not row[0].startswith("lens")]
    for name, some in groups.items():
        held, error, naive, width = map("{:.3f}".format, told(some))
        report(
            f"completeness, {name}",
            years=len(some),
            held=held,
            error=error,
            error_of_count=naive,
            width=width,
        )
    held, error, naive, _ = told(rows)
    assert held >= 0.9
    assert error < 0.3 * naive
