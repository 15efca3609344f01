"""Claims about the share of a year that can be visible: on made-up lags the truth is known."""

import numpy as np
import pytest

from python_steps.statistics.completeness import (
    LONGEST,
    MONTHS,
    Cohorts,
    lag_distribution,
    shares,
    visible_share,
)

FIRST, LAST = 2005 * MONTHS, 2020 * MONTHS - 1  # the data end with December 2019


def made_up(documents=40, growth=1.0, seed=1):
    """Return events and lags of growing cohorts: one in four appears at once, others for years."""
    random = np.random.default_rng(seed)
    events = np.arange(FIRST, LAST + 1)
    counts = random.poisson(documents * growth ** ((events - FIRST) / MONTHS))
    events = np.repeat(events, counts)
    late = random.gamma(4.0, 6.0, size=len(events)).astype(int)
    return events, np.where(random.random(len(events)) < 0.25, 0, np.minimum(late, LONGEST))


def seen(events, lags, last=LAST):
    keeps = events + lags <= last
    return Cohorts.of(events[keeps], lags[keeps], np.ones(keeps.sum(), dtype=int))


def test_lags_cut_off_by_the_end_of_the_data_are_recovered():
    events, lags = made_up(documents=400, growth=1.3)
    distribution = lag_distribution(seen(events, lags), LAST)
    for months in (0, 6, 12, 24, 48):
        assert distribution[months] == pytest.approx((lags <= months).mean(), abs=0.02)
    # What is seen of growing cohorts shows too many short lags.
    keeps = events + lags <= LAST
    assert (lags[keeps] <= 12).mean() > (lags <= 12).mean() + 0.02


def test_a_year_is_expected_to_show_what_it_shows():
    events, lags = made_up(documents=400)
    found = shares(seen(events, lags), range(2014, 2020), LAST, 0.0)
    for year, (share, low, high) in zip(range(2014, 2020), found, strict=True):
        of_year = events // MONTHS == year
        truth = ((events + lags <= LAST) & of_year).sum() / of_year.sum()
        assert share == pytest.approx(truth, abs=0.03)
        assert 0 <= low <= share <= high <= 1
    assert [share for share, _, _ in found] == sorted((s for s, _, _ in found), reverse=True)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    held = []
    for seed in range(40):
        events, lags = made_up(documents=20, growth=1.2, seed=seed)
        found = shares(seen(events, lags), range(2016, 2020), LAST, 0.0)
        for year, (_, low, high) in zip(range(2016, 2020), found, strict=True):
            of_year = events // MONTHS == year
            truth = ((events + lags <= LAST) & of_year).sum() / of_year.sum()
            held.append(low <= truth <= high)
    assert np.mean(held) >= 0.9


def test_the_part_of_a_month_that_has_passed_counts():
    at_once = np.ones(LONGEST + 1)
    assert visible_share(at_once, 0, 2019, 2019 * MONTHS + 5, 0.5) == pytest.approx(6.5 / 12)
    assert visible_share(at_once, 0, 2018, 2019 * MONTHS + 5, 0.5) == 1.0
    assert visible_share(at_once, 0, 2020, 2019 * MONTHS + 5, 0.5) == 0.0


def test_documents_that_appear_before_their_event_are_visible_before_it():
    events = np.repeat(np.arange(FIRST, LAST + 3), 10)
    lags = np.full(len(events), -2)
    cohorts = seen(events, lags)
    assert cohorts.shortest == -2
    ((share, _, _),) = shares(cohorts, range(2020, 2021), LAST, 0.0)
    assert share == pytest.approx(2 / 12)


def test_the_same_data_give_the_same_interval():
    events, lags = made_up()
    years = range(2015, 2020)
    assert shares(seen(events, lags), years, LAST, 0.3) == shares(
        seen(events, lags), years, LAST, 0.3
    )
