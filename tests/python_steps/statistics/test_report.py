"""Claims about floors."""

import pytest

from python_steps.statistics.report import Floor, Measure, missed


@pytest.mark.parametrize(
    ("value", "floor", "is_missed"),
    [
        (0.8, Floor(0.8), False),
        (0.79, Floor(0.8), True),
        (None, Floor(0.0), True),
        (0.1, Floor(0.1, is_ceiling=True), False),
        (0.11, Floor(0.1, is_ceiling=True), True),
        (-0.2, Floor(0.1, is_ceiling=True), True),
        (0.45, Floor(0.1, is_ceiling=True, centre=0.5), False),
        (0.35, Floor(0.1, is_ceiling=True, centre=0.5), True),
        (None, Floor(1.0, is_ceiling=True), True),
    ],
)
def test_a_floor_is_missed_by_what_is_worse_or_missing(value, floor, is_missed):
    assert floor.is_missed_by(value) is is_missed
    assert len(missed([(Measure("recall", value), floor)])) == is_missed


def test_a_sentence_says_what_was_measured_on_what_and_what_it_must_be():
    sentences = missed(
        [
            (Measure("recall", 0.5, "20 pairs"), Floor(0.8)),
            (Measure("lead", 0.123456), Floor(0.01, is_ceiling=True, centre=0.5)),
            (Measure("novelty", None), Floor(0.25)),
            (Measure("precision", 0.9), Floor(0.9)),
        ],
        digits=4,
    )
    assert sentences == [
        "recall is 0.5000 on 20 pairs, and must be at least 0.8.",
        "lead is 0.1235, and must be at most 0.01 away from 0.5.",
        "novelty is missing, and must be at least 0.25.",
    ]
