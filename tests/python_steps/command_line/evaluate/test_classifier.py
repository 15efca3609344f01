"""Claims about `deepinnovation evaluate classifier`: what it reads, says and writes."""

import csv
import json
import sys

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from python_steps import tables
from python_steps.ai_decision.evaluation import measures
from python_steps.command_line import main

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
                "sampling_weight": 1.0,
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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--floor", "beauty=1"], "NAME is one of"),
        (["--floor", "f1=2"], "NAME=VALUE"),
        (["--folds", "2"], "No such option"),
    ],
)
def test_wrong_usage_says_what_is_meant(warehouse, arguments, said):
    shown = run("--warehouse", warehouse, *arguments)
    assert shown.exit_code == 2
    assert said in shown.output


def test_help_shows_an_example():
    assert "    deepinnovation evaluate classifier " in run("--help").output


def test_plots_need_an_extra_that_is_named(warehouse, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    shown = run("--warehouse", warehouse, "--output", tmp_path / "there")
    assert shown.exit_code == 2
    assert "--output needs a package that is not installed (matplotlib)" in shown.output
    assert "[evaluate]" in shown.output
    assert run("--warehouse", warehouse).exit_code == 0
