"""Claims about which years of a source are complete, by its own lags or by known ones."""

from datetime import date

import pyarrow as pa
import pytest

from python_steps import tables
from python_steps.documents.completeness import LEAST, complete_years

SOURCE = {"source_system": "s", "source_name": "s", "document_type": "patent"}
KNOWN = pa.Table.from_pylist(
    [
        {"document_type": "patent", "office_code": office, "year_kind": "filing"} | point
        for office, months in (("*", 24), ("WO", 12))
        for point in ({"share": 0.5, "months": months // 2}, {"share": 1.0, "months": months})
    ],
    schema=tables.KNOWN_LAGS,
)


def of_lags(rows):
    """Return a table of (office, year, month, lag, documents)."""
    names = ("office_code", "year", "event_month", "lag_months", "documents")
    filled = [SOURCE | {"year_kind": "filing"} | dict(zip(names, row, strict=True)) for row in rows]
    return pa.Table.from_pylist(filled, schema=tables.PUBLICATION_LAGS)


def until(day):
    return pa.Table.from_pylist([SOURCE | {"data_until": day}], schema=tables.DATA_UNTIL)


def eighteen_months(office, documents=5, last=2019 * 12 + 11):
    """Return cohorts that all appear after 18 months, as far as they have."""
    months = range(2005 * 12, last - 17)
    return [(office, month // 12, month, 18, documents) for month in months]


def by_year(table, office="US"):
    rows = [row for row in table.to_pylist() if row["office_code"] == office]
    return {row["year"]: row for row in rows}


def test_an_office_with_lags_of_its_own_is_observed():
    rows = by_year(complete_years(of_lags(eighteen_months("US")), until(date(2019, 12, 31)), KNOWN))
    assert rows[2017]["expected_share"] == 1.0
    assert rows[2018]["expected_share"] == pytest.approx(0.5)
    assert rows[2019]["expected_share"] == 0.0
    assert {row["basis"] for row in rows.values()} == {"observed"}
    assert rows[2017]["documents"] == 60 and rows[2019]["documents"] == 0


def test_an_office_with_few_lags_has_those_of_all_offices():
    lags = of_lags([*eighteen_months("US"), ("MX", 2015, 2015 * 12, 18, 1)])
    rows = by_year(complete_years(lags, until(date(2019, 12, 31)), KNOWN), "MX")
    assert rows[2018]["expected_share"] == pytest.approx(0.5)
    assert rows[2018]["basis"] == "observed"


@pytest.mark.parametrize(("office", "share"), [("US", 0.25), ("WO", 0.5)])
def test_a_source_with_too_few_lags_says_assumed(office, share):
    lags = of_lags([(office, 2019, None, None, LEAST), (office, 2018, 2018 * 12, 18, LEAST - 1)])
    rows = by_year(complete_years(lags, until(date(2019, 12, 31)), KNOWN), office)
    assert {row["basis"] for row in rows.values()} == {"assumed"}
    row = rows[2019]
    assert row["expected_share"] == pytest.approx(share, abs=0.01)
    assert row["expected_share_low"] < row["expected_share"] < row["expected_share_high"]


def test_without_any_date_the_data_end_with_their_last_year():
    lags = of_lags([("US", 2012, None, None, 3), ("US", 2015, None, None, 3)])
    rows = by_year(complete_years(lags, until(None), KNOWN))
    assert rows[2015]["data_until"] == date(2015, 12, 31)
    assert rows[2015]["basis"] == "assumed"
    assert max(rows) == 2015


def test_nothing_delivered_is_no_year():
    none = complete_years(of_lags([]), until(date(2019, 12, 31)).slice(0, 0), KNOWN)
    assert none.num_rows == 0 and none.schema == tables.YEARS_COMPLETED
