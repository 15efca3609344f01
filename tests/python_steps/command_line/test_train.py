"""Claims about `deepinnovation train`: usage, what it needs, and cross-validation."""

import json
import os
import sys

import duckdb
import pytest
from click.testing import CliRunner

from python_steps.ai_decision.evaluation import folds
from python_steps.ai_decision.folders import FIELDS
from python_steps.command_line import main
from python_steps.errors import InputError


@pytest.fixture(autouse=True)
def without_configuration(monkeypatch):
    for name in [name for name in os.environ if name.startswith("DEEPINNOVATION_")]:
        monkeypatch.delenv(name)


def run(*arguments):
    return CliRunner().invoke(main.main, ["train", *(str(argument) for argument in arguments)])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--layer outer, inner or filter is missing"),
        (["--folds", "2"], "--output"),
        (["--folds", "1", "--output", "folds"], "--folds"),
        (["--folds", "2", "--output", "folds", "--layer", "outer"], "leave out --layer"),
        (["--folds", "2", "--output", "folds", "--most-per-source", "9"], "--most-per-source"),
    ],
)
def test_wrong_usage_says_what_is_meant(tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    shown = run("--document-type", "paper", "--warehouse", "none.duckdb", *arguments)
    assert shown.exit_code == 2
    assert says in " ".join(shown.output.split())
    assert not any(tmp_path.iterdir())


def test_the_help_names_what_decides_a_training_and_its_folds():
    shown = run("--help").output
    for option in ("--epochs", "--base-model", "--learning-rate", "--seed", "--device", "--folds"):
        assert option in shown, option


@pytest.mark.parametrize("arguments", [["--layer", "outer"], ["--folds", "2"]])
def test_without_peft_the_command_says_how_to_install_it(tmp_path, monkeypatch, arguments):
    monkeypatch.setitem(sys.modules, "peft", None)
    shown = run("--document-type", "paper", "--output", tmp_path / "mine", *arguments)
    assert shown.exit_code == 2
    assert "needs a package that is not installed (peft): pip install" in shown.output
    assert "[train]" in shown.output
    assert "Traceback" not in shown.output


def test_a_source_without_labels_cannot_be_folded(tmp_path):
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.classifier_examples as select 'W1' as document_id, "
            "'here' as source_name where false"
        )
    words = [
        "--document-type",
        "paper",
        "--folds",
        2,
        "--source",
        "nowhere",
        "--output",
        tmp_path / "folds",
    ]
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
    words = [
        "--document-type",
        "paper",
        "--folds",
        2,
        "--source",
        "here",
        "--output",
        tmp_path / "folds",
    ]
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
            "true as label_is_ai, 1.0::double as label_confidence, 1.0::double as sampling_weight, "
            "'train' as split, 'easy' as stratum "
            "from (values (1, 'a', 'new'), (2, 'b', 'new'), (3, 'a', 'old'), (4, 'b', 'unread')) "
            "as documents(i, key, source), (values ('outer'), ('inner')) as layers(layer)"
        )
    folder = tmp_path / "outer_paper"
    folder.mkdir()
    fields = dict.fromkeys(FIELDS)
    card = fields | {"examples": [{"source_name": "old"}, {"source_name": "elsewhere"}]}
    (folder / "classifier.json").write_text(json.dumps(card))
    folded = []

    def judge(examples, *_, **__):
        folded.extend(examples.column("document_id").to_pylist())
        raise InputError("enough")

    monkeypatch.setattr(folds, "cross_validate", judge)
    words = [
        "--document-type",
        "paper",
        "--folds",
        2,
        "--source",
        "new",
        "--output",
        tmp_path / "folds",
        "--language",
        "all",
    ]
    shown = run("--warehouse", tmp_path / "other.duckdb", *words, "--start-from", folder)
    assert "enough" in shown.output
    assert "Left out: 1 documents" in shown.output
    assert "outer_paper also learned from elsewhere, which this warehouse" in shown.output
    assert folded == ["W2", "W2"]
