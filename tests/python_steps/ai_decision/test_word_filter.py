"""The word filter as a step, and how it is taught."""

import json
import pickle
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from python_steps import errors, tables
from python_steps.ai_decision import word_filter
from python_steps.ai_decision.catalogue import load_classifiers
from python_steps.ai_decision.folders import PACKAGED_FOLDER, WORD_FILTER_FILE
from python_steps.ai_decision.training import word_filter as training
from python_steps.ai_decision.word_filter import hashed_words, judge, load_word_filters
from python_steps.command_line import main

AI = "We train a neural network with reinforcement learning"
POEM = "Metre and rhyme in medieval poetry of three abbeys"


def examples(count=3000, kind="paper"):
    """Return made-up documents whose kind follows from some of their words."""
    random = np.random.default_rng(0)
    accepted = random.random(count) < 0.5
    split = ["test" if each % 5 == 0 else "train" for each in range(count)]
    titles = [
        " ".join([f"{'net' if is_ai else 'knee'}{one}" for one in random.integers(0, 40, 4)])
        for is_ai in accepted
    ]
    return pa.table(
        {
            "document_id": [f"W{each}" for each in range(count)],
            "document_type": [kind] * count,
            "title": titles,
            "abstract": [" ".join(map(str, ("of", "the", each))) for each in range(count)],
            "language": ["en"] * count,
            "source_name": ["one" if each % 2 else "other" for each in range(count)],
            "title_key": [f"{title}{each}" for each, title in enumerate(titles)],
            "split": split,
            "is_accepted": accepted,
            "model_version": ["o + i"] * count,
        }
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filters") / "filter_paper"
    return folder, training.train(examples(), folder, recall=0.99)


@pytest.fixture(scope="module")
def packaged():
    (found,) = load_word_filters(document_types=["paper"])
    return found


# ---------------------------------------------------------------- words and scores


def test_a_word_has_the_same_place_everywhere():
    # What is shipped was taught with these places: another hash would mix up all words.
    places = [hashed_words([word], [None]).indices.tolist() for word in ("network", "réseau", "a")]
    assert places == [[257924], [37879], [92594]]


def test_words_are_read_as_classifiers_read_them_whatever_their_case():
    told = hashed_words(["Deep-Learning: 2 NETWORKS."], ["of x^2"])
    plain = hashed_words(["deep learning networks of x"], [None])
    assert (told.indices == plain.indices).all() and (told.data == plain.data).all()


def test_a_document_counts_as_one_however_long_it_is():
    words = hashed_words([AI, f"{AI} {AI}", ""], [None, POEM, None])
    assert np.asarray(words.power(2).sum(axis=1)).ravel() == pytest.approx([1, 1, 0])


def test_a_score_does_not_depend_on_what_it_is_computed_with(packaged):
    titles, abstracts = [AI, POEM, "", "x", AI * 50], [POEM, None, None, "", AI]
    together = packaged.scores(titles, abstracts)
    alone = [
        packaged.scores([title], [text]) for title, text in zip(titles, abstracts, strict=True)
    ]
    assert together.tobytes() == np.concatenate(alone).tobytes()
    many = packaged.scores(
        [POEM] * word_filter.DOCUMENTS_AT_ONCE + titles, [None] * 4096 + abstracts
    )
    assert many[-5:].tobytes() == together.tobytes()


def test_the_packaged_filter_keeps_a_network_and_refuses_a_knee(packaged):
    titles = ["Deep residual learning for image recognition", "Outcomes after knee replacement"]
    abstracts = [
        "We train convolutional neural networks and win a benchmark of object detection.",
        "Patients with osteoarthritis were followed for ten years after surgery; pain was less.",
    ]
    network, knee = packaged.scores(titles, abstracts)
    assert knee < packaged.threshold < network
    assert packaged.languages == ("en",)


def test_the_step_scores_the_types_that_have_a_filter(packaged):
    table = pa.table(
        {
            "document_id": ["W1", "US-1", "W2"],
            "document_type": ["paper", "patent", "paper"],
            "text_hash": ["a", "b", "c"],
            "title": [AI, AI, POEM],
            "abstract": pa.array([None, None, None], pa.string()),
        }
    )
    found = judge(table, filters=[packaged])
    assert found.schema == tables.FILTERED
    assert found.column("document_id").to_pylist() == ["W1", "W2"]
    assert set(found.column("model_version").to_pylist()) == {packaged.model_version}
    assert found.column("score").to_pylist() == packaged.scores([AI, POEM], [None] * 2).tolist()
    assert judge(table.slice(0, 0), filters=[packaged]).num_rows == 0
    assert judge(table, filters=[]).schema == tables.FILTERED


def test_a_filter_pickles_to_little(packaged):
    text = pickle.dumps(packaged)
    assert len(text) < 1000
    assert pickle.loads(text) == packaged


# ---------------------------------------------------------------- folders


def test_there_is_no_filter_unless_asked_for():
    assert load_word_filters(word_filter=False) == []


def test_a_filter_of_ones_own_takes_the_place_of_the_packaged_one(trained, packaged):
    folder, description = trained
    (own,) = load_word_filters(str(folder.parent), document_types=["paper"])
    assert own.threshold == description["threshold"]
    assert own.model_version != packaged.model_version
    # Where a folder holds a filter alone, the packaged classifiers decide.
    (outer,) = load_classifiers(str(folder.parent), layers=["outer"], document_types=["paper"])
    assert Path(outer.folder).parent == PACKAGED_FOLDER


def test_weights_that_were_not_trained_so_are_refused(trained, tmp_path):
    folder = tmp_path / "filter_paper"
    shutil.copytree(trained[0], folder)
    weights = folder / word_filter.WEIGHTS_FILE
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(errors.ModelError, match="are not those that were"):
        load_word_filters(str(tmp_path))
    (folder / WORD_FILTER_FILE).write_text("{}")
    with pytest.raises(errors.ModelError, match="lacks document_type"):
        load_word_filters(str(tmp_path))


def test_weights_that_change_while_a_build_runs_are_refused(trained, tmp_path):
    folder = tmp_path / "filter_paper"
    shutil.copytree(trained[0], folder)
    (found,) = load_word_filters(str(tmp_path), document_types=["paper"])
    told = json.loads((folder / WORD_FILTER_FILE).read_text())
    told["threshold"] -= 1
    (folder / WORD_FILTER_FILE).write_text(json.dumps(told))
    with pytest.raises(errors.ModelError, match="is no longer"):
        found.scores([AI], [None])


# ---------------------------------------------------------------- teaching


def test_what_is_taught_tells_both_kinds_apart_and_keeps_the_recall(trained):
    _, description = trained
    for measured in (description["validation"], description["test"]):
        whole, *sources = measured
        assert whole["source"] is None and [each["source"] for each in sources] == ["one", "other"]
        for name in ("documents", "refused", "accepted_by_both_layers", "kept"):
            assert whole[name] == sum(each[name] for each in sources)
        assert whole["kept"] >= 0.98 * whole["accepted_by_both_layers"]
        assert whole["refused"] > 0.4 * whole["documents"]


def test_the_split_test_teaches_nothing(trained, tmp_path):
    taught = examples()
    is_test = np.array(taught.column("split").to_pylist()) == "test"
    spoilt = np.where(
        is_test, ~np.array(taught.column("is_accepted")), taught.column("is_accepted")
    )
    place = taught.column_names.index("is_accepted")
    taught = taught.set_column(place, "is_accepted", pa.array(spoilt))
    again = training.train(taught, tmp_path / "filter_paper", recall=0.99)
    assert again["sha256"] == trained[1]["sha256"]
    assert again["threshold"] == trained[1]["threshold"]
    assert again["test"] != trained[1]["test"]


def test_the_same_examples_give_the_same_bytes(trained, tmp_path):
    training.train(examples(), tmp_path / "filter_paper", recall=0.99)
    for path in trained[0].iterdir():
        assert path.read_bytes() == (tmp_path / "filter_paper" / path.name).read_bytes(), path.name


def test_the_card_says_what_the_filter_learned_from(trained):
    card = (trained[0] / "README.md").read_text()
    for told in ("99.00% of what both layers accept", "`o + i`", "| one |", "words.safetensors"):
        assert told in card


def test_too_few_documents_leave_the_threshold_to_chance(tmp_path):
    with pytest.raises(errors.TrainingError, match="needs at least 1,000"):
        training.train(examples(1000), tmp_path / "filter_paper")
    assert not (tmp_path / "filter_paper").exists()


# ---------------------------------------------------------------- the command


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.register("examples", examples())
        connection.execute("create schema marts")
        connection.execute("create table marts.filter_examples as from examples")
    return path


def command(warehouse, *words):
    words = ["train", "--warehouse", str(warehouse), "--layer", "filter", *map(str, words)]
    shown = CliRunner().invoke(main.main, words)
    return shown.exit_code, " ".join(shown.output.split())


def test_the_command_teaches_a_filter_that_a_build_can_use(warehouse, tmp_path):
    mine = tmp_path / "mine"
    code, said = command(warehouse, "--document-type", "paper", "--output", mine, "--recall", 0.99)
    assert code == 0, said
    assert "Learning from 3,000 papers" in said
    assert "test, all sources: refuses" in said
    assert f"word_filter: true, classifiers: {mine}" in said
    (found,) = load_word_filters(str(mine), document_types=["paper"])
    assert Path(found.folder) == mine / "filter_paper"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--document-type", "both"], errors.WRONG_USAGE, "train two"),
        (["--document-type", "paper", "--epochs", "3"], errors.WRONG_USAGE, "--epochs cannot be"),
        (["--document-type", "patent"], errors.UNREADABLE, "0 documents that both layers accept"),
        (["--document-type", "paper", "--source", "x"], errors.UNREADABLE, "the source x"),
        (["--document-type", "paper", "--most-per-source", "9"], errors.UNREADABLE, "at least"),
    ],
)
def test_what_cannot_be_taught_is_refused(warehouse, tmp_path, words, code, message):
    found, said = command(warehouse, *words, "--output", tmp_path / "mine")
    assert (found, message in said) == (code, True), said
