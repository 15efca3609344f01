"""Claims about confidence intervals."""

import numpy as np
import pytest

from python_steps.statistics import intervals


def test_the_interval_of_a_share_is_wilsons():
    assert intervals.wilson(0.5, 10) == pytest.approx((0.23659, 0.76341), abs=1e-5)
    low, high = intervals.wilson(1.0, 8)
    assert (low, high) == (pytest.approx(0.67559, abs=1e-5), 1.0)
    assert intervals.wilson(0.0, 8) == pytest.approx((0.0, 1 - 0.67559), abs=1e-5)


def test_draws_without_a_value_do_not_count():
    values = np.append(np.arange(101.0), np.nan)
    assert intervals.percentiles(values) == pytest.approx((2.5, 97.5))
    assert np.isnan(intervals.percentiles(np.full(3, np.nan))).all()


def test_a_sample_has_as_many_members_as_there_are():
    counts = np.array([5, 0, 20])
    (sample,) = intervals.samples(counts, 1000, np.random.default_rng(0))
    assert (sample.sum(axis=1) == 25).all()
    assert sample.mean(axis=0) == pytest.approx(counts, abs=0.3)
    assert (sample[:, 1] == 0).all()


def test_sums_are_those_of_the_members_drawn_and_do_not_depend_on_how_many_come_at_a_time(
    monkeypatch,
):
    random = np.random.default_rng(1)
    values = random.normal(size=(30, 3))
    (sample,) = intervals.samples(np.ones(30, np.int64), 40, np.random.default_rng(2))
    drawn = intervals.bootstrap(values, 40, np.random.default_rng(2))
    assert drawn == pytest.approx(sample @ values)
    monkeypatch.setattr(intervals, "NUMBERS_DRAWN_AT_ONCE", 70)  # two samples at a time
    assert (intervals.bootstrap(values, 40, np.random.default_rng(2)) == drawn).all()


def test_the_spread_of_bootstrapped_means_is_the_standard_error():
    values = np.random.default_rng(3).normal(size=(400, 1))
    means = intervals.bootstrap(values, 4000, np.random.default_rng(4)) / 400
    assert means.std() == pytest.approx(values.std() / 20, rel=0.05)
