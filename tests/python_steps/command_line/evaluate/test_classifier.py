"""Claims about `deepinnovation evaluate classifier`: what it reads, says and writes."""

import csv
import json

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from python_steps import tables
from python_steps.ai_decision import classifier
from python_steps.ai_decision.evaluation import folds, measures
from python_steps.command_line import main
from python_steps.errors import InputError

JUDGES = (measures.OUTER, measures.TOGETHER, "rule: wide")


def predictions():
    random = np.random.default_rng(0)
    rows = []
    for kind in ("paper", "patent"):
        truth = random.random(80) < 0.4
        scores = np.clip(truth * 0.5 + random.random(80) * 0.6, 0, 1)
        rows += [
            {
                "document_id": f"{kind}{row}",
                "document_type": kind,
                "judge": judge,
                "is_ai": bool(truth[row]),
                "is_accepted": bool(scores[row] >= 0.5),
                "probability": None if judge.startswith("rule") else scores[row],
                "threshold": 0.5,
                "source_name": "odd" if row % 2 else "even",
                "language": "en",
            }
            for judge in JUDGES
            for row in range(80)
        ]
    return pa.Table.from_pylist(rows, schema=tables.PREDICTIONS)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    return build(tmp_path_factory.mktemp("evaluated"), predictions())


def build(folder, judged):
    measured = measures.evaluate(judged, draws=20)
    path = folder / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.register("judged", judged)
        connection.register("measured", measured)
        connection.execute(
            "create table marts.classifier_predictions as "
            "select * rename (is_ai as label_is_ai) from judged"
        )
        connection.execute("create table marts.classifier_evaluation as from measured")
    return path


def run(*arguments):
    words = ["evaluate", "classifier", *(str(argument) for argument in arguments)]
    return CliRunner().invoke(main.main, words)


def test_the_table_names_every_judge_of_every_type_of_document(warehouse):
    shown = run("--warehouse", warehouse)
    assert shown.exit_code == 0, shown.output
    assert "papers" in shown.output
    assert "patents" in shown.output
    assert all(shown.output.count(judge) == 2 for judge in JUDGES)
    # The classifier stands before its parts and the rules.
    assert shown.output.index(measures.TOGETHER) < shown.output.index("outer")


def test_a_dimension_parts_the_table(warehouse):
    shown = run("--warehouse", warehouse, "--by", "source_name", "--document-type", "paper")
    assert shown.output.count("even") == shown.output.count("odd") == len(JUDGES)
    assert "patents" not in shown.output


@pytest.mark.parametrize("form", ["csv", "json"])
def test_data_hold_every_group_and_nothing_else(warehouse, form):
    shown = run("--warehouse", warehouse, "--format", form)
    lines = shown.stdout.splitlines()
    rows = [json.loads(line) for line in lines] if form == "json" else list(csv.DictReader(lines))
    expected = measures.evaluate(predictions(), draws=1)
    assert len(rows) == expected.num_rows
    assert set(rows[0]) == set(tables.EVALUATION.names)


def test_the_folder_gets_the_table_and_two_plots(warehouse, tmp_path):
    assert run("--warehouse", warehouse, "--output", tmp_path / "there").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == [
        "classifier_evaluation.csv",
        "precision_recall.png",
        "reliability.png",
    ]


@pytest.mark.parametrize(
    ("floor", "code"),
    [
        ("f1=0.1", 0),
        ("f1=0.999", 4),
        ("calibration_error=0.999", 0),
        ("calibration_error=0.0001", 4),  # the most that may be
    ],
)
def test_below_a_floor_the_exit_code_is_4(warehouse, floor, code):
    shown = run("--warehouse", warehouse, "--floor", floor)
    assert shown.exit_code == code
    assert ("of two layers together on papers is" in shown.output) == (code == 4)


def test_without_labels_there_is_nothing_to_tell_and_no_floor_is_reached(tmp_path):
    empty = build(tmp_path, predictions().slice(0, 0))
    shown = run("--warehouse", empty, "--output", tmp_path / "there")
    assert shown.exit_code == 0
    assert "No labelled document" in shown.output
    assert run("--warehouse", empty, "--floor", "f1=0").exit_code == 4


def test_a_warehouse_without_evaluation_is_told_in_a_sentence(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    shown = run("--warehouse", path)
    assert shown.exit_code == 3
    assert "holds no marts.classifier_evaluation" in shown.output


def test_a_file_that_is_no_warehouse_is_told_in_a_sentence(tmp_path):
    (tmp_path / "warehouse.duckdb").write_text("no warehouse")
    shown = run("--warehouse", tmp_path / "warehouse.duckdb")
    assert shown.exit_code == 3
    assert "is no warehouse" in " ".join(shown.output.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--folds", "2"], "--output"),
        (["--source", "one"], "--source needs --folds"),
        (["--epochs", "9", "--recall", "0.5"], "--epochs, --recall need --folds"),
        (["--floor", "beauty=1"], "NAME is one of"),
        (["--floor", "f1=2"], "NAME=VALUE"),
        (["--folds", "1"], "--folds"),
    ],
)
def test_wrong_usage_says_what_is_meant(warehouse, arguments, said):
    shown = run("--warehouse", warehouse, *arguments)
    assert shown.exit_code == 2
    assert said in shown.output


def test_a_source_without_labels_cannot_be_folded(warehouse, tmp_path):
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.classifier_examples as select 'W1' as document_id, "
            "'here' as source_name where false"
        )
    words = ["--folds", 2, "--source", "nowhere", "--output", tmp_path / "folds"]
    shown = run("--warehouse", tmp_path / "other.duckdb", *words)
    assert shown.exit_code == 3
    assert "nowhere" in shown.output


def test_examples_of_another_version_are_to_be_built_again(tmp_path):
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.classifier_examples as select 'W1' as document_id, "
            "'here' as source_name"
        )
    words = ["--folds", 2, "--source", "here", "--output", tmp_path / "folds"]
    shown = run("--warehouse", tmp_path / "other.duckdb", *words)
    assert shown.exit_code == 3
    assert "lacks abstract, categories" in " ".join(shown.output.split())


def test_documents_whose_title_the_first_classifier_may_know_are_left_out(tmp_path, monkeypatch):
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.classifier_examples as "
            "select 'W' || i as document_id, 'paper' as document_type, layer, "
            "'title' || key as title_key, 'title' as title, null::varchar as abstract, "
            "'en' as language, 2019 as year, source as source_name, null::varchar[] as categories, "
            "'human' as label_source, "
            "true as label_is_ai, 'train' as split, 'easy' as stratum "
            "from (values (1, 'a', 'new'), (2, 'b', 'new'), (3, 'a', 'old'), (4, 'b', 'unread')) "
            "as documents(i, key, source), (values ('outer'), ('inner')) as layers(layer)"
        )
    folder = tmp_path / "outer_paper"
    folder.mkdir()
    fields = dict.fromkeys(classifier.FIELDS)
    card = fields | {"examples": [{"source_name": "old"}, {"source_name": "elsewhere"}]}
    (folder / "classifier.json").write_text(json.dumps(card))
    folded = []

    def judge(examples, *_, **__):
        folded.extend(examples.column("document_id").to_pylist())
        raise InputError("enough")

    monkeypatch.setattr(folds, "cross_validate", judge)
    words = ["--folds", 2, "--source", "new", "--output", tmp_path / "folds", "--language", "all"]
    shown = run("--warehouse", tmp_path / "other.duckdb", *words, "--start-from", folder)
    assert "enough" in shown.output
    assert "Left out: 1 documents" in shown.output
    assert "outer_paper also learned from elsewhere, which this warehouse" in shown.output
    assert folded == ["W2", "W2"]


def test_help_shows_an_example_and_the_options_of_training():
    shown = run("--help")
    assert "    deepinnovation evaluate classifier " in shown.output
    trained = CliRunner().invoke(main.main, ["train", "--help"]).output
    for option in ("--epochs", "--base-model", "--learning-rate", "--seed", "--device"):
        assert option in shown.output
        assert option in trained
