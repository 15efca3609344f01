"""Claims about cross-validation, by real but tiny trainings."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from python_steps import tables
from python_steps.ai_decision.evaluation import baselines, folds, measures
from python_steps.ai_decision.training import train as training_train
from python_steps.ai_decision.training.settings import Settings
from python_steps.errors import TrainingError

TOPICS = ["neural networks", "robots", "robots", "robots", "sandy soil"]
SETTINGS = Settings(
    layer="outer",
    document_types=("paper",),
    trained_layers=1,
    adapter_rank=2,
    maximum_tokens=16,
    epochs=1,
    batch_size=16,
    recall=1.0,
)
INNER = replace(SETTINGS, recall=None)


def made(count=700):
    """
    Return documents of three topics in both layers.

    Half of those on robots are labelled AI, at random, so that the outer layer accepts some that
    are not, and the inner one has something to learn. Every tenth repeats the title before it.
    """
    random = np.random.default_rng(0)
    rows = []
    for number in range(count):
        repeated = number % 10 == 9
        topic = TOPICS[(number - repeated) % 5]
        is_ai = random.random() < 0.5 if topic == "robots" else topic == "neural networks"
        letters = "".join("abcdefghij"[int(digit)] for digit in f"{number:03}")
        title = rows[-1]["title"] if repeated else f"On {topic}, part {letters}"
        rows.append(
            {
                "document_id": f"W{number:03}",
                "document_type": "paper",
                "title_key": "".join(title.lower().split()),
                "title": title,
                "abstract": f"We study {topic}.",
                "is_ai": rows[-1]["is_ai"] if repeated else bool(is_ai),
                "source_name": "made_up",
                "label_source": "human",
                "label_confidence": 0.9,
                "sampling_weight": 2.0,
                "stratum": "easy",
                "language": "en",
                "year": 2019,
                "split": "train",
            }
        )
    table = pa.Table.from_pylist(rows)
    return pa.concat_tables(
        table.append_column("layer", pa.repeat(layer, count)) for layer in ("outer", "inner")
    )


def cross_validate(examples, folder, **more):
    return folds.cross_validate(examples, folder, SETTINGS, INNER, folds=2, **more)


class Spy:
    """Trains as training.train does, and remembers by what."""

    def __init__(self, train):
        self.train, self.seen = train, {}

    def __call__(self, examples, folder, settings, **more):
        self.seen[Path(folder).name] = examples
        return self.train(examples, folder, settings, **more)


@pytest.fixture(scope="module")
def spy():
    with pytest.MonkeyPatch.context() as patch:
        spy = Spy(training_train.train)
        patch.setattr(training_train, "train", spy)
        yield spy


@pytest.fixture(scope="module")
def run(spy, tmp_path_factory):
    """Judgements of two folds, their folder, and the examples that trained each classifier."""
    folder = tmp_path_factory.mktemp("folds")
    judged = cross_validate(made(), folder)
    return judged, folder, dict(spy.seen)


def keys(table):
    return set(table.column("title_key").to_pylist())


def test_every_title_is_judged_once(run):
    judged, _, _ = run
    assert judged.schema == tables.FOLD_JUDGEMENTS
    first = {}
    for row in made().to_pylist():
        first.setdefault(row["title_key"], row["document_id"])
    assert sorted(judged["document_id"].to_pylist()) == sorted(first.values())


def test_no_fold_is_judged_by_what_has_seen_one_of_its_titles(run):
    judged, _, seen = run
    titles = {row["document_id"]: row["title_key"] for row in made().to_pylist()}
    assert sorted(seen) == ["fold-1-inner", "fold-1-outer", "fold-2-inner", "fold-2-outer"]
    for name, examples in seen.items():
        fold = judged.filter(pc.equal(judged["fold"], int(name.split("-")[1])))
        assert fold.num_rows > 100
        assert keys(examples).isdisjoint({titles[each] for each in fold["document_id"].to_pylist()})


def test_what_is_held_back_for_calibration_trains_neither_layer(run):
    _, _, seen = run
    for fold in ("fold-1", "fold-2"):
        for layer in ("outer", "inner"):
            parts = [
                keys(examples.filter(pc.equal(examples["split"], split)))
                for examples, split in (
                    (seen[f"{fold}-{layer}"], "validation"),
                    (seen[f"{fold}-outer"], "train"),
                    (seen[f"{fold}-inner"], "train"),
                )
            ]
            assert parts[0]
            assert parts[0].isdisjoint(parts[1] | parts[2])


def test_the_inner_layer_judges_what_the_outer_one_accepts_and_learns_from_such(run):
    judged, _, seen = run
    for row in judged.to_pylist():
        is_accepted = row["outer_probability"] >= row["outer_threshold"]
        assert (row["inner_probability"] is not None) == is_accepted
    for fold in ("fold-1", "fold-2"):
        assert seen[f"{fold}-inner"].num_rows < seen[f"{fold}-outer"].num_rows


def test_the_classifiers_and_the_words_have_learned_something(run):
    judged, _, _ = run
    measured = measures.evaluate(folds.predictions(judged), draws=50).to_pylist()
    found = {row["judge"]: row for row in measured if row["dimension"] == "all"}
    assert found[measures.OUTER]["recall"] > 0.9
    # Chance alone is .5, and half of the labels of robots cannot be learned.
    assert found[measures.TOGETHER]["average_precision"] > 0.7
    assert found[baselines.TFIDF]["average_precision"] > 0.7


def test_what_is_finished_is_not_trained_again(run, monkeypatch):
    judged, folder, _ = run

    def refuse(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(training_train, "train", refuse)
    assert cross_validate(made(), folder) == judged
    # Killed between the training of the second fold and its judgements.
    (folder / "fold-2.parquet").unlink()
    assert cross_validate(made(), folder) == judged
    (folder / "fold-2.parquet").write_bytes(b"PAR1 torn")
    assert cross_validate(made(), folder) == judged


def test_other_groups_are_judged_anew_by_the_same_classifiers(run, monkeypatch):
    judged, folder, _ = run

    def refuse(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(training_train, "train", refuse)
    examples = made()
    place = examples.column_names.index("stratum")
    other = examples.set_column(place, "stratum", pa.repeat("boundary", examples.num_rows))
    found = cross_validate(other, folder)
    assert set(found["stratum"].to_pylist()) == {"boundary"}
    assert found.drop_columns("stratum") == judged.drop_columns("stratum")


def test_a_run_killed_between_the_layers_ends_alike(run, monkeypatch, tmp_path):
    judged, folder, _ = run
    (folder / "fold-2.parquet").unlink()
    (folder / "fold-2-inner" / folds.FINISHED_FILE).unlink()
    spy = Spy(training_train.train)
    monkeypatch.setattr(training_train, "train", spy)
    assert cross_validate(made(), folder) == judged
    assert list(spy.seen) == ["fold-2-inner"]


def test_other_labels_train_anew(run, monkeypatch):
    _, folder, _ = run
    trained = []

    def stop(examples, folder, *_, **__):
        trained.append(folder.name)
        raise TrainingError("enough")

    monkeypatch.setattr(training_train, "train", stop)
    examples = made()
    place = examples.column_names.index("is_ai")
    other = examples.set_column(place, "is_ai", pc.invert(examples["is_ai"]))
    with pytest.raises(TrainingError, match="enough"):
        cross_validate(other, folder)
    assert trained == ["fold-1-outer"]


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_other_categories_train_anew_where_they_are_learned(weight):
    settings = replace(SETTINGS, category_weight=weight)

    def version(category):
        categories = pa.repeat(pa.scalar([category], pa.list_(pa.string())), 1400)
        examples = made().append_column("categories", categories)
        return folds.version_of_folds(examples, settings, INNER, 2, None, "f32")

    assert (version("A") == version("B")) == (weight == 0)


def test_a_classifier_that_has_seen_the_source_is_refused(run, tmp_path):
    _, folder, _ = run
    with pytest.raises(TrainingError, match="was trained on made_up"):
        cross_validate(made(), tmp_path, start_from=folder / "fold-1-outer")


def test_one_fold_is_none(tmp_path):
    with pytest.raises(TrainingError, match="at least 2"):
        folds.cross_validate(made(), tmp_path, SETTINGS, INNER, folds=1)


def test_too_few_examples_are_told_in_a_sentence(tmp_path):
    with pytest.raises(TrainingError, match="are needed"):
        cross_validate(made().slice(0, 30), tmp_path)


def test_two_layers_accept_what_both_do():
    common = {
        "document_type": "paper",
        "fold": 1,
        "is_ai": True,
        "year": 2019,
        "outer_threshold": 0.1,
        "inner_threshold": 0.6,
        "outer_model_version": "o",
        "inner_model_version": "i",
    }
    judged = pa.Table.from_pylist(
        [
            common | {"document_id": "W1", "outer_probability": 0.1, "inner_probability": 0.6},
            common | {"document_id": "W2", "outer_probability": 0.9, "inner_probability": 0.5},
            common | {"document_id": "W3", "outer_probability": 0.05, "inner_probability": None},
        ],
        schema=tables.FOLD_JUDGEMENTS,
    )
    found = [
        (row["judge"], row["document_id"], row["is_accepted"], row["probability"])
        for row in folds.predictions(judged).to_pylist()
    ]
    assert found == [
        ("two layers together", "W1", True, 0.6),
        ("two layers together", "W2", False, 0.5),
        ("two layers together", "W3", False, 0.05),
        ("outer", "W1", True, 0.1),
        ("outer", "W2", True, 0.9),
        ("outer", "W3", False, 0.05),
        ("inner", "W1", True, 0.6),
        ("inner", "W2", False, 0.5),
    ]
