"""Claims about the measures of classifiers and their intervals."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics

from python_steps import tables
from python_steps.ai_decision import calibration
from python_steps.ai_decision.evaluation import measures, plots
from python_steps.statistics import intervals


def made(count=400, seed=0, share=0.2, decimals=None):
    """Return truth, answers and probabilities of a middling judge."""
    random = np.random.default_rng(seed)
    truth = random.random(count) < share
    probabilities = random.beta(np.where(truth, 4, 1), np.where(truth, 2, 4))
    if decimals is not None:
        probabilities = probabilities.round(decimals)
    return truth, probabilities >= 0.5, probabilities


def predictions(count=60, *, judges=("outer",), kinds=("paper",), seed=0, probability=True):
    rows = []
    for judge in judges:
        for kind in kinds:
            truth, said, probabilities = made(count, seed=seed)
            rows += [
                {
                    "document_id": f"{kind}{row}",
                    "document_type": kind,
                    "judge": judge,
                    "is_ai": bool(truth[row]),
                    "is_accepted": bool(said[row]),
                    "probability": probabilities[row] if probability else None,
                    "threshold": 0.5,
                    "model_version": "v",
                    "source_name": "one" if row % 2 else "two",
                    "label_source": "human",
                    "sampling_weight": 1.0,
                    "stratum": "easy",
                    "language": None if row % 3 else "en",
                    "year_band": "2015-2019",
                }
                for row in range(count)
            ]
    return pa.Table.from_pylist(rows, schema=tables.PREDICTIONS)


# ---------------------------------------------------------------- measures


@pytest.mark.parametrize("decimals", [None, 1])
def test_measures_are_those_of_scikit_learn(decimals):
    truth, said, probabilities = made(decimals=decimals)
    found = measures.measures_of(truth, said, probabilities)
    assert found["precision"] == pytest.approx(metrics.precision_score(truth, said))
    assert found["recall"] == pytest.approx(metrics.recall_score(truth, said))
    assert found["f1"] == pytest.approx(metrics.f1_score(truth, said))
    expected = metrics.average_precision_score(truth, probabilities)
    assert found["average_precision"] == pytest.approx(expected)
    assert (found["documents"], found["positives"], found["accepted"]) == (
        len(truth),
        truth.sum(),
        said.sum(),
    )


def test_a_threshold_gives_the_measures_of_what_it_accepts():
    truth, said, probabilities = made()
    assert measures.measures(truth, probabilities, 0.5) == measures.measures_of(
        truth, said, probabilities
    )


def test_a_document_that_stands_for_several_counts_as_often():
    truth, said, probabilities = made(150)
    weights = np.random.default_rng(0).integers(1, 5, len(truth))
    weighted = measures.measures_of(truth, said, probabilities, weights.astype(float))
    repeated = measures.measures_of(
        *(np.repeat(each, weights) for each in (truth, said, probabilities))
    )
    for name in measures.MEASURES:
        assert weighted[name] == pytest.approx(repeated[name])
    assert weighted["documents"] == 150


def test_intervals_of_weights_hold_the_weighted_measures():
    truth, said, probabilities = made(400)
    weights = np.where(np.arange(400) % 10 == 0, 50.0, 1.0)
    found = measures.measures_of(truth, said, probabilities, weights)
    bounds = measures.intervals(truth, said, probabilities, weights)
    equal = measures.intervals(truth, said, probabilities, np.full(400, 7.0))
    for name, ends in measures.intervals(truth, said, probabilities).items():
        assert equal[name] == pytest.approx(ends)
    for name in ("precision", "recall", "f1", "average_precision"):
        low, high = bounds[name]
        assert low <= found[name] <= high


def test_calibration_error_is_the_mean_distance_in_ten_bins():
    truth = np.array([True, False, True, False])
    probabilities = np.array([0.71, 0.79, 1.0, 0.0])
    # Bin of 0.7: mean 0.75 against 0.5, two of four documents. The others are right.
    assert measures.expected_calibration_error(truth, probabilities) == pytest.approx(0.125)


def test_what_is_a_share_of_nothing_is_no_number():
    nothing, some = np.zeros(3, bool), np.array([True, False, True])
    found = measures.measures_of(nothing, nothing, np.zeros(3))
    assert np.isnan([found["precision"], found["recall"], found["average_precision"]]).all()
    found = measures.measures_of(some, some, None)
    assert np.isnan([found["average_precision"], found["calibration_error"]]).all()
    assert found["f1"] == 1


def test_the_threshold_has_the_best_f1_that_is_expected_of_all():
    _, _, probabilities = made(120, decimals=2)
    chosen = calibration.threshold_at_best_f1(probabilities)

    def expected(threshold):
        said = probabilities >= threshold
        return 2 * probabilities[said].sum() / (said.sum() + probabilities.sum())

    best = max(map(expected, np.unique(probabilities)))
    assert expected(chosen) == pytest.approx(best)
    # Half the best F1, as far as one document lies from the next.
    assert chosen == pytest.approx(best / 2, abs=0.03)


def test_a_threshold_lies_between_probabilities():
    assert calibration.threshold_at_best_f1(np.array([0.9, 0.8, 0.1])) == pytest.approx(0.45)
    assert calibration.threshold_at_best_f1(np.array([0.7, 0.7])) == pytest.approx(0.7)


@pytest.mark.parametrize(("recall", "known"), [(0.5, 20), (0.9, 80), (0.98, 80), (0.98, 150)])
def test_new_positives_pass_the_threshold_at_the_recall_that_was_asked(recall, known):
    """Drawn from uniform scores, where the share that passes a threshold is one less it."""
    truth = np.ones(known, bool)
    random = np.random.default_rng(0)
    draws = random.random((4000, known))
    passed = [1 - calibration.threshold_at_recall(truth, draw, recall) for draw in draws]
    error = 4 * np.std(passed) / np.sqrt(len(draws))
    # Thresholds can only be at known positives, which lie one in (known + 1) apart.
    assert recall - error <= np.mean(passed) <= recall + 1 / (known + 1) + error


def test_the_threshold_at_a_recall_that_cannot_be_promised_is_the_lowest_positive():
    truth, _, probabilities = made(500)
    chosen = calibration.threshold_at_recall(truth, probabilities, 1.0)
    assert chosen == probabilities[truth].min()
    assert calibration.threshold_at_recall(truth[:30], probabilities[:30], 0.98) == (
        probabilities[:30][truth[:30]].min()
    )


def test_calibration_gives_the_probabilities_back_that_made_the_labels():
    random = np.random.default_rng(0)
    logits = random.normal(0, 3, 20_000)
    truth = random.random(len(logits)) < 1 / (1 + np.exp(-(logits / 2 - 1)))
    assert calibration.calibration(truth, logits) == pytest.approx((2, -1), abs=0.1)


# ---------------------------------------------------------------- intervals


@pytest.mark.parametrize("decimals", [None, 1])
def test_a_draw_is_measured_as_scikit_learn_measures_weighted_documents(decimals):
    truth, said, probabilities = made(300, decimals=decimals)
    cells = measures.Cells.of(truth, said, probabilities)
    drawn = np.random.default_rng(1).multinomial(300, cells.counts / 300, size=5)
    found = cells.measures(drawn)
    # The documents of a cell count alike: any one of them stands for all.
    kinds = np.stack([-probabilities, truth, said], axis=1)
    _, first = np.unique(kinds, axis=0, return_index=True)
    truth, said, probabilities = truth[first], said[first], probabilities[first]
    for row, weights in enumerate(drawn):
        weighted = {"sample_weight": weights}
        assert [found[name][row] for name in ("precision", "recall", "f1")] == pytest.approx(
            [
                metrics.precision_score(truth, said, **weighted),
                metrics.recall_score(truth, said, **weighted),
                metrics.f1_score(truth, said, **weighted),
            ]
        )
        expected = metrics.average_precision_score(truth, probabilities, **weighted)
        assert found["average_precision"][row] == pytest.approx(expected)
        repeated = np.repeat(np.arange(len(truth)), weights)
        assert found["calibration_error"][row] == pytest.approx(
            measures.expected_calibration_error(truth[repeated], probabilities[repeated])
        )


def test_many_different_scores_are_told_apart_well_enough():
    truth, said, probabilities = made(30_000)
    assert len(np.unique(probabilities)) > measures.MOST_LEVELS
    cells = measures.Cells.of(truth, said, probabilities)
    assert len(cells.counts) <= 4 * measures.MOST_LEVELS
    found = {name: value[0] for name, value in cells.measures(cells.counts[None]).items()}
    expected = measures.measures_of(truth, said, probabilities)
    assert found["average_precision"] == pytest.approx(expected["average_precision"], abs=1e-3)
    for name in ("precision", "recall", "f1", "calibration_error"):
        assert found[name] == pytest.approx(expected[name])


def test_intervals_hold_the_true_value_about_as_often_as_they_say():
    # The true values, of so many documents that chance plays no part.
    truth, said, probabilities = made(400_000, seed=99)
    true = measures.measures_of(truth, said, probabilities)
    names = ("precision", "recall", "f1", "average_precision")
    held = dict.fromkeys(names, 0)
    tries = 200
    for seed in range(tries):
        bounds = measures.intervals(*made(250, seed=seed), draws=300)
        for name in names:
            low, high = bounds[name]
            held[name] += low <= true[name] <= high
    # 95 % of 200 is 190; the percentile bootstrap of small samples is known to be a little narrow.
    assert all(0.89 <= count / tries <= 0.99 for count in held.values()), held


def test_an_interval_follows_from_the_documents_and_the_seed_not_from_their_order():
    truth, said, probabilities = made()
    order = np.random.default_rng(5).permutation(len(truth))
    first = measures.intervals(truth, said, probabilities, draws=50)
    other = measures.intervals(truth[order], said[order], probabilities[order], draws=50)
    assert first == other
    assert first != measures.intervals(truth, said, probabilities, draws=50, seed=[1])


def test_an_interval_is_the_same_however_many_draws_are_made_at_once(monkeypatch):
    whole = measures.intervals(*made(), draws=50)
    monkeypatch.setattr(intervals, "NUMBERS_DRAWN_AT_ONCE", 1)
    found = measures.intervals(*made(), draws=50)
    for name, bounds in whole.items():
        assert found[name] == pytest.approx(bounds)


def test_groups_too_small_for_an_interval_have_none():
    nothing = np.zeros(0, bool)
    found = measures.intervals(nothing, nothing, np.zeros(0), draws=20)
    assert np.isnan([end for ends in found.values() for end in ends]).all()
    no = np.zeros(4, bool)
    found = measures.intervals(no, no, np.full(4, 0.3), draws=20)
    assert found["calibration_error"] == pytest.approx((0.3, 0.3))
    assert np.isnan([*found["recall"], *found["precision"], *found["average_precision"]]).all()
    yes = np.ones(1, bool)
    assert measures.intervals(yes, yes, np.ones(1), draws=20)["average_precision"] == (1, 1)


# ---------------------------------------------------------------- tables of them


def test_every_group_of_every_judge_has_one_row_and_its_counts_add_up():
    found = measures.evaluate(
        predictions(judges=("outer", "inner"), kinds=("paper", "patent")), draws=20
    )
    assert found.schema == tables.EVALUATION
    rows = found.to_pylist()
    keys = [tuple(row[k] for k in ("judge", "document_type", "dimension", "value")) for row in rows]
    assert len(set(keys)) == len(keys)
    for judge, kind in {key[:2] for key in keys}:
        for dimension in measures.DIMENSIONS:
            group = [row for row, key in zip(rows, keys, strict=True)
                     if key[:3] == (judge, kind, dimension)]  # fmt: skip
            assert sum(row["documents"] for row in group) == 60
    assert {key[3] for key in keys if key[2] == "language"} == {"en", "unknown"}


def test_a_group_is_measured_alike_whatever_else_is_measured():
    alone = measures.evaluate(predictions(), draws=30).to_pylist()
    among = measures.evaluate(predictions(judges=("inner", "outer")), draws=30).to_pylist()
    assert [row for row in among if row["judge"] == "outer"] == alone


def test_of_a_rule_nothing_is_told_that_needs_a_probability():
    found = measures.evaluate(predictions(probability=False), draws=20).to_pylist()
    assert all(row["average_precision"] is None for row in found)
    assert all(row["calibration_error_low"] is None for row in found)
    assert all(row["f1"] is not None for row in found)


def test_a_threshold_that_varies_is_not_told():
    table = predictions()
    place = table.column_names.index("threshold")
    varied = table.set_column(place, "threshold", pa.array(np.arange(60) / 60))
    assert measures.evaluate(table, draws=5)["threshold"][0].as_py() == 0.5
    assert measures.evaluate(varied, draws=5)["threshold"][0].as_py() is None


def test_no_predictions_give_no_rows():
    found = measures.evaluate(tables.PREDICTIONS.empty_table())
    assert (found.num_rows, found.schema) == (0, tables.EVALUATION)


def test_a_year_lies_in_its_five_years():
    assert measures.year_band(2015) == measures.year_band(2019) == "2015-2019"
    assert measures.year_band(2020) == "2020-2024"
    assert measures.year_band(None) is None


# ---------------------------------------------------------------- plots


@pytest.mark.parametrize("plot", [plots.reliability_plot, plots.precision_recall_plot])
def test_a_plot_is_a_png_and_the_same_for_the_same_predictions(plot):
    table = predictions(judges=("outer", "inner"), kinds=("paper", "patent"))
    written = plot(table)
    assert written.startswith(b"\x89PNG")
    assert plot(table) == written
    assert plot(tables.PREDICTIONS.empty_table()).startswith(b"\x89PNG")
    assert plot(predictions(probability=False)).startswith(b"\x89PNG")
