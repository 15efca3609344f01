"""Claims about the probability that a paper and its patent are the same invention."""

import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from python_steps import tables
from python_steps.similarity import confidence, confidence_check, confidence_plot
from python_steps.similarity.confidence import NO_LINKS, OWN_LINKS, PACKAGED, Calibration

TRUE = Calibration(-11.0, 12.0, 14.0)
SPACE = "title_abstract"
ENCODERS = pa.Table.from_pylist(
    [{"model_version": "a/name/0123456789ab/bf16/256", "width": 384}], schema=tables.ENCODERS
)


def world(papers=30_000, seed=0, known_share=0.5):
    """
    Return pairs whose probability is TRUE, which are the same, and which of those somebody knows.

    Returns
    -------
    tuple[np.ndarray, np.ndarray, np.ndarray]
        Similarity and CSLS, float64[pairs, 2]; bool[pairs] twice.
    """
    random = np.random.default_rng(seed)
    similarity = np.clip(random.normal(0.52, 0.08, papers), -1, 1)
    features = np.stack([similarity, random.normal(0.0, 0.08, papers)], axis=1)
    is_same = random.random(papers) < TRUE.probability(features)
    return features, is_same, is_same & (random.random(papers) < known_share)


def counted(features, space=SPACE):
    steps = np.floor(features * [confidence.SIMILARITY_STEPS, confidence.CSLS_STEPS] + 0.5)
    cells, pairs = np.unique(steps.astype(int), axis=0, return_counts=True)
    rows = [
        {
            "space": space,
            "similarity_step": int(similarity),
            "csls_step": int(csls),
            "pairs": int(count),
            "papers": int(count),
        }
        for (similarity, csls), count in zip(cells, pairs, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=tables.SIMILARITIES)


def known(features, *, is_same=True, space=SPACE, prefix=""):
    rows = [
        {
            "space": space,
            "paper_id": f"{prefix}W{row}",
            "patent_id": f"{prefix}P{row}",
            "is_same": is_same,
            "linked_papers": len(features) if is_same else 0,
            "similarity": None if similarity is None else float(similarity),
            "csls": None if similarity is None else float(csls),
        }
        for row, (similarity, csls) in enumerate(features)
    ]
    return pa.Table.from_pylist(rows, schema=tables.LINKS_MATCHED)


def packaged(**changes):
    row = {
        "space": SPACE,
        "encoder_hash": "0123456789ab",
        "csls_neighbours": 10,
        "intercept": -10.0,
        "similarity_slope": 9.0,
        "csls_slope": 8.0,
        "linked_share": 0.01,
        "known_pairs": 50,
        "source": "somewhere",
    }
    return pa.Table.from_pylist([row | changes], schema=tables.PACKAGED_CALIBRATIONS)


NOTHING_PACKAGED = tables.PACKAGED_CALIBRATIONS.empty_table()
NO_PAIRS = tables.SIMILARITIES.empty_table()
NONE_KNOWN = tables.LINKS_MATCHED.empty_table()


def calibrate(*given, linked_share=0.01, least_links=30, spaces=(SPACE,)):
    found = confidence.calibrate(
        *given,
        spaces=spaces,
        linked_share=linked_share,
        least_links=least_links,
        csls_neighbours=10,
    )
    assert found.schema == tables.CALIBRATIONS
    return found


# ---------------------------------------------------------------- the fit


def test_the_fit_finds_the_probability_though_only_half_of_the_twins_are_known():
    features, is_same, is_known = world(200_000)
    cells, counts = np.unique(features.round(2), axis=0, return_counts=True)
    found = confidence.fit(cells, counts.astype(float), features[is_known], expected=is_same.sum())
    told, true = found.probability(features), TRUE.probability(features)
    assert is_known.sum() > 200
    # Taking the unknown twins for none would halve every probability.
    for low, high in [(0.001, 0.01), (0.01, 0.1), (0.1, 0.5), (0.5, 1.0)]:
        here = (true >= low) & (true < high)
        assert told[here].mean() == pytest.approx(true[here].mean(), rel=0.3), (low, high)


def test_confidences_add_up_to_the_pairs_that_are_expected():
    features, is_same, is_known = world()
    counts = np.ones(len(features))
    for expected in (is_same.sum() / 2, is_same.sum(), 2 * is_same.sum()):
        found = confidence.fit(features, counts, features[is_known], expected=expected)
        assert found.probability(features).sum() == pytest.approx(expected, rel=0.05)


def test_a_csls_that_speaks_against_twins_is_not_used():
    features, is_same, is_known = world()
    features[:, 1] *= -1
    found = confidence.fit(
        features, np.ones(len(features)), features[is_known], expected=is_same.sum()
    )
    assert found.csls_slope == 0
    assert found.similarity_slope > 0


def test_similarities_that_are_lower_of_twins_give_no_confidence():
    features, is_same, is_known = world()
    features = -features
    counts = np.ones(len(features))
    assert confidence.fit(features, counts, features[is_known], expected=is_same.sum()) is None


def test_twins_far_from_all_else_have_a_finite_and_high_confidence():
    random = np.random.default_rng(0)
    others = random.normal(0.3, 0.02, (2000, 2))
    twins = random.normal(0.8, 0.02, (40, 2))
    everything = np.concatenate([others, twins])
    found = confidence.fit(everything, np.ones(len(everything)), twins, expected=40.0)
    assert np.isfinite([found.intercept, found.similarity_slope, found.csls_slope]).all()
    assert found.probability(twins).min() > 0.8
    assert found.probability(others).max() < 0.05


@pytest.mark.parametrize("pairs", [1, 50])
def test_pairs_that_are_all_alike_break_nothing(pairs):
    same = np.full((pairs, 2), 0.5)
    found = confidence.fit(same[:1], np.array([float(pairs)]), same, expected=pairs / 2)
    assert found is None or np.isfinite(found.intercept)


# ---------------------------------------------------------------- which calibration


def own(count=40, seed=0):
    features, _, is_known = world(seed=seed)
    return counted(features), known(features[is_known][:count])


def test_enough_known_pairs_calibrate_themselves():
    matches, links = own(40)
    (row,) = calibrate(matches, links, packaged(), ENCODERS).to_pylist()
    assert row["confidence_basis"] == OWN_LINKS
    assert row["known_pairs"] == 40
    assert row["similarity_slope"] > 0
    assert row["similarity_slope"] != 9.0


def test_too_few_known_pairs_leave_it_to_the_packaged_calibration():
    matches, links = own(29)
    (row,) = calibrate(matches, links, packaged(), ENCODERS).to_pylist()
    assert row["confidence_basis"] == PACKAGED
    assert (row["intercept"], row["similarity_slope"], row["csls_slope"]) == (-10.0, 9.0, 8.0)
    assert (row["known_pairs"], row["source"]) == (50, "somewhere")


def test_known_pairs_that_are_not_matched_or_not_the_same_do_not_count_as_enough():
    matches, links = own(29)
    links = pa.concat_tables(
        [
            links,
            known([(None, None)] * 50, prefix="unmatched "),
            known([(0.5, 0.1)] * 50, is_same=False, prefix="near miss "),
        ]
    )
    (row,) = calibrate(matches, links, packaged(), ENCODERS).to_pylist()
    assert row["confidence_basis"] == PACKAGED


@pytest.mark.parametrize(
    "other",
    [{"encoder_hash": "ba9876543210"}, {"space": "keywords"}, {"csls_neighbours": 1}],
)
def test_what_is_packaged_for_something_else_is_not_used(other):
    matches, links = own(5)
    (row,) = calibrate(matches, links, packaged(**other), ENCODERS).to_pylist()
    assert row["confidence_basis"] == NO_LINKS
    assert [row[name] for name in ("intercept", "similarity_slope", "csls_slope")] == [None] * 3
    assert row["known_pairs"] == 5


def test_known_pairs_that_say_nothing_leave_it_to_the_packaged_calibration():
    matches, links = own(40)
    column = links.schema.get_field_index("similarity")
    links = links.set_column(column, "similarity", pa.array([-0.9] * 40, pa.float32()))
    (row,) = calibrate(matches, links, packaged(), ENCODERS).to_pylist()
    assert row["confidence_basis"] == PACKAGED


def test_another_assumed_share_moves_the_odds_of_a_packaged_calibration_by_theirs():
    (row,) = calibrate(NO_PAIRS, NONE_KNOWN, packaged(), ENCODERS, linked_share=0.1).to_pylist()
    odds = (0.1 / 0.9) / (0.01 / 0.99)
    assert row["intercept"] == pytest.approx(-10.0 + np.log(odds))
    assert row["similarity_slope"] == 9.0


def test_more_assumed_twins_mean_higher_confidence():
    matches, links = own(40)
    few, many = (
        calibrate(matches, links, packaged(), ENCODERS, linked_share=share).to_pylist()[0]
        for share in (0.005, 0.02)
    )
    point = np.array([[0.6, 0.1]])
    told = [
        Calibration(*(row[name] for name in ("intercept", "similarity_slope", "csls_slope")))
        for row in (few, many)
    ]
    low, high = (float(each.probability(point)[0]) for each in told)
    assert 2 * low < high < 8 * low


def test_no_smaller_share_is_assumed_than_that_of_papers_known_to_have_a_patent():
    features, _, is_known = world(2000)
    links = known(np.repeat(features[is_known][:1], 100, axis=0))
    (row,) = calibrate(counted(features), links, packaged(), ENCODERS).to_pylist()
    assert row["linked_share"] == 100 / 2000


def test_known_pairs_that_were_not_drawn_count_for_the_share_and_not_for_what_is_matched():
    features, _, is_known = world()
    same = features[is_known][:60]
    share = 60 / len(features)
    everything = calibrate(counted(features), known(same), packaged(), ENCODERS, linked_share=1e-4)
    drawn = known(same[:40])
    column = drawn.schema.get_field_index("linked_papers")
    drawn = drawn.set_column(column, "linked_papers", pa.array([60] * 40, pa.int64()))
    some = calibrate(counted(features), drawn, packaged(), ENCODERS, linked_share=1e-4)
    assert [table.column("linked_share").to_pylist() for table in (everything, some)] == [
        [pytest.approx(share)]
    ] * 2
    population = confidence.Population.of(counted(features), drawn, SPACE)
    assert population.expected(share) == pytest.approx(60)


@pytest.mark.parametrize("share", [0, -0.1, 0.6])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(ValueError, match=f"linked_share must be above 0 .* got {share}"):
        calibrate(NO_PAIRS, NONE_KNOWN, packaged(), ENCODERS, linked_share=share)


def test_spaces_are_calibrated_apart():
    matches, links = own(40)
    features, _, is_known = world(seed=1)
    both = calibrate(
        pa.concat_tables([matches, counted(features, "keywords")]),
        pa.concat_tables([links, known(features[is_known][:3], space="keywords")]),
        packaged(),
        ENCODERS,
        spaces=(SPACE, "keywords"),
    ).to_pylist()
    assert [(row["space"], row["confidence_basis"]) for row in both] == [
        ("keywords", NO_LINKS),
        (SPACE, OWN_LINKS),
    ]
    assert both[1] == calibrate(matches, links, packaged(), ENCODERS).to_pylist()[0]


# ---------------------------------------------------------------- the check


def checked(matches, links, calibrations, **settings):
    settings = {"draws": 200, "least_links": 30} | settings
    found = confidence_check.check(matches, links, calibrations, **settings)
    assert found.schema == tables.CALIBRATION_CHECK
    return found


def test_a_true_calibration_is_found_true():
    features, is_same, is_known = world(200_000)
    matches, links = counted(features), known(features[is_known])
    share = is_same.mean()
    calibrations = calibrate(
        matches, links, NOTHING_PACKAGED, ENCODERS, linked_share=share, least_links=10
    )
    whole, *bands = checked(matches, links, calibrations, least_links=10).to_pylist()
    true = TRUE.probability(features)
    assert whole["band"] == confidence_check.WHOLE
    assert whole["pairs"] == sum(row["pairs"] for row in bands) == len(features)
    assert whole["known_pairs"] == sum(row["known_pairs"] for row in bands) == is_known.sum()
    assert whole["implied_share"] == pytest.approx(share, rel=0.05)
    assert whole["calibration_error"] < 0.3 * whole["observed_share"]
    # What is estimated without knowing all twins is what knowing them tells.
    assert whole["brier_score"] == pytest.approx(((true - is_same) ** 2).mean(), rel=0.15)
    outside = [
        row
        for row in bands
        if not row["observed_share_low"] <= row["mean_confidence"] <= row["observed_share_high"]
    ]
    assert len(outside) <= 1
    told = [row["mean_confidence"] for row in bands]
    assert told == sorted(told)


def test_a_calibration_that_is_far_too_sure_is_found_out():
    features, is_same, is_known = world(200_000)
    matches, links = counted(features), known(features[is_known])
    share = is_same.mean()
    fair, sure = (
        checked(
            matches,
            links,
            calibrate(
                matches,
                links,
                packaged(intercept=intercept, similarity_slope=12.0, csls_slope=14.0),
                ENCODERS,
                linked_share=share,
                least_links=10**6,
            ),
        ).to_pylist()[0]
        for intercept in (TRUE.intercept - np.log(share / 0.01), TRUE.intercept + 3)
    )
    assert sure["calibration_error_low"] > 5 * fair["calibration_error_high"]
    assert sure["brier_skill"] < 0 < fair["brier_skill"]


def test_known_pairs_are_judged_by_what_neither_they_nor_their_group_taught(monkeypatch):
    # Pairs of one patent have one similarity, by which a fit is seen to hold all of them or none.
    patents = np.repeat(np.arange(12), 4)
    links = known(np.stack([patents / 20, np.zeros(48)], axis=1))
    links = links.set_column(2, "patent_id", pa.array([f"P{patent}" for patent in patents]))
    taught = []

    def fit(cells, counts, same, *, expected):
        found, members = np.unique(same[:, 0].round(3), return_counts=True)
        assert set(members) == {4}
        taught.append(set(found))
        return Calibration(20.0 if len(found) == 12 else -20.0, 0.0, 0.0)

    monkeypatch.setattr(confidence, "fit", fit)
    matches, _ = own()
    calibrations = calibrate(matches, links, NOTHING_PACKAGED, ENCODERS)
    whole = checked(matches, links, calibrations).to_pylist()[0]
    everything, *parts = taught
    assert len(parts) == confidence_check.FOLDS
    assert sorted(patent for part in parts for patent in everything - part) == sorted(everything)
    assert whole["known_mean_confidence"] < 0.001 < 0.999 < whole["mean_confidence"]


def test_pairs_that_share_papers_or_patents_through_others_are_in_one_group():
    links = known([(0.5, 0.1)] * 5)
    links = links.set_column(1, "paper_id", pa.array(["W1", "W1", "W2", "W3", "P9"]))
    links = links.set_column(2, "patent_id", pa.array(["P1", "P2", "P2", "P9", "W3"]))
    groups = confidence.Population.of(NO_PAIRS, links, SPACE).groups
    assert groups[0] == groups[1] == groups[2]
    assert len({groups[0], groups[3], groups[4]}) == 3


HANGS_ON_GROUPS = (
    "calibration_error",
    "calibration_error_low",
    "calibration_error_high",
    "brier_score",
    "brier_skill",
)


def in_one_group(links, members):
    """Give the first pairs one patent."""
    patents = ["P0"] * members + links.column("patent_id").to_pylist()[members:]
    column = links.schema.get_field_index("patent_id")
    return links.set_column(column, "patent_id", pa.array(patents))


def known_pairs(count):
    features, _, is_known = world(200_000)
    return counted(features), known(features[is_known][:count])


def test_nothing_is_judged_where_a_fold_leaves_too_few_known_pairs_to_teach():
    matches, links = known_pairs(100)
    links = in_one_group(links, 97)
    calibrations = calibrate(matches, links, NOTHING_PACKAGED, ENCODERS)
    whole, *bands = checked(matches, links, calibrations).to_pylist()
    assert whole["confidence_basis"] == OWN_LINKS
    assert (whole["known_pairs"], whole["known_groups"]) == (100, 4)
    assert {whole[name] for name in (*HANGS_ON_GROUPS, "known_mean_confidence")} == {None}
    assert whole["implied_share"] > 0
    assert {row[name] for row in bands for name in ("known_pairs", "observed_share")} == {None}


@pytest.mark.parametrize("basis", [OWN_LINKS, PACKAGED])
@pytest.mark.parametrize(("members", "is_told"), [(50, True), (51, False), (100, False)])
def test_no_error_is_told_that_hangs_on_one_group_of_known_pairs(basis, members, is_told):
    matches, links = known_pairs(100)
    links = in_one_group(links, members)
    least_links = 30 if basis == OWN_LINKS else 10**6
    calibrations = calibrate(matches, links, packaged(), ENCODERS, least_links=least_links)
    whole = checked(matches, links, calibrations).to_pylist()[0]
    assert whole["confidence_basis"] == basis
    assert whole["known_groups"] == 101 - members
    assert {whole[name] is not None for name in HANGS_ON_GROUPS} == {is_told}


def test_as_few_known_pairs_as_leave_enough_outside_each_fold_are_judged():
    for count, is_judged in [(33, False), (34, True)]:
        matches, links = known_pairs(count)
        # Were folds filled without regard to the sizes of groups, one would hold six pairs.
        patents = ["P0"] * 4 + [f"P{row // 2}" for row in range(4, count)]
        links = links.set_column(2, "patent_id", pa.array(patents))
        calibrations = calibrate(matches, links, NOTHING_PACKAGED, ENCODERS)
        whole = checked(matches, links, calibrations).to_pylist()[0]
        assert (whole["calibration_error"] is not None) == is_judged, count


def test_the_interval_of_many_known_pairs_takes_little_memory():
    matches, _ = own()
    links = known(np.full((20_000, 2), 0.6))
    calibrations = calibrate(matches, links, packaged(), ENCODERS, least_links=10**6)
    tracemalloc.start()
    whole, *bands = checked(matches, links, calibrations, draws=500).to_pylist()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert whole["calibration_error_high"] is not None
    assert whole["source"] == "somewhere"
    assert {band["source"] for band in bands} == {None}
    # All draws together would be 160 MB.
    assert most < 40e6


def test_near_misses_are_told_apart_and_teach_nothing():
    matches, links = own(40)
    misses = known([(0.62, 0.1)] * 7, is_same=False, prefix="near miss ")
    calibrations = calibrate(matches, links, NOTHING_PACKAGED, ENCODERS)
    both = pa.concat_tables([links, misses])
    assert calibrate(matches, both, NOTHING_PACKAGED, ENCODERS) == calibrations
    whole = checked(matches, both, calibrations).to_pylist()[0]
    assert (whole["near_misses"], whole["known_pairs"]) == (7, 40)
    row = calibrations.to_pylist()[0]
    taught = Calibration(*(row[name] for name in ("intercept", "similarity_slope", "csls_slope")))
    expected = taught.probability(np.array([[np.float32(0.62), 0.1]]))[0]
    assert whole["near_miss_mean_confidence"] == pytest.approx(expected)


def test_the_order_of_rows_changes_nothing():
    matches, links = own(40)
    back = [table.take(list(range(table.num_rows))[::-1]) for table in (matches, links)]
    there = calibrate(matches, links, packaged(), ENCODERS).to_pylist()[0]
    again = calibrate(*back, packaged(), ENCODERS).to_pylist()[0]
    for name in ("intercept", "similarity_slope", "csls_slope"):
        assert again[name] == pytest.approx(there[name], rel=1e-9)
    assert calibrate(matches, links, packaged(), ENCODERS).to_pylist()[0] == there


def test_without_pairs_or_known_ones_there_are_rows_and_no_figures():
    calibrations = calibrate(NO_PAIRS, NONE_KNOWN, packaged(), ENCODERS)
    (whole,) = checked(NO_PAIRS, NONE_KNOWN, calibrations).to_pylist()
    assert (whole["pairs"], whole["known_pairs"], whole["mean_confidence"]) == (0, 0, None)
    matches, _ = own()
    whole, *bands = checked(matches, NONE_KNOWN, calibrations).to_pylist()
    assert whole["mean_confidence"] > 0
    assert whole["calibration_error"] is None
    assert {row["observed_share"] for row in bands} == {None}


def test_without_a_calibration_a_space_has_one_row():
    matches, links = own(3)
    calibrations = calibrate(matches, links, NOTHING_PACKAGED, ENCODERS)
    (whole,) = checked(matches, links, calibrations).to_pylist()
    assert (whole["confidence_basis"], whole["known_pairs"]) == (NO_LINKS, 3)
    assert whole["mean_confidence"] is None


# ---------------------------------------------------------------- the plot


def test_the_plot_is_the_same_every_time_and_absent_without_known_pairs():
    matches, links = own(40)
    calibrations = calibrate(matches, links, NOTHING_PACKAGED, ENCODERS)
    found = checked(matches, links, calibrations)
    drawn = confidence_plot.calibration_plot(found)
    assert drawn.startswith(b"\x89PNG")
    assert confidence_plot.calibration_plot(found) == drawn
    empty = calibrate(NO_PAIRS, NONE_KNOWN, packaged(), ENCODERS)
    assert confidence_plot.calibration_plot(checked(matches, NONE_KNOWN, empty)) is None
