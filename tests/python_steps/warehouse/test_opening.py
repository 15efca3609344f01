"""Every command that reads a warehouse says in one sentence why it cannot, and ends with 3."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from python_steps.command_line import main
from python_steps.errors import InputError
from python_steps.warehouse.opening import opened
from python_steps.warehouse.places import DuckDBFile

LINKS = str(Path(__file__).parents[3] / "seeds/sample/links.csv")
HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""

# Each command, the first table that it needs, and what builds that table.
READERS = {
    "query": (["query", "select 1"], None, None),
    "match": (
        ["match", "--query", "W1"],
        "marts.documents_to_match",
        "`deepinnovation build --select '+documents_to_match +model_versions'`",
    ),
    "train": (
        ["train", "--layer", "outer", "--document-type", "paper", "--output", "mine"],
        "marts.classifier_examples",
        "`deepinnovation build --select +classifier_examples`",
    ),
    "annotate": (
        ["annotate", "--dry-run"],
        "marts.annotation_candidates",
        "`deepinnovation build`",
    ),
    "evaluate classifier": (
        ["evaluate", "classifier"],
        "marts.classifier_evaluation",
        "`deepinnovation build --labels FILE`",
    ),
    "train --folds": (
        ["train", "--folds", "2", "--document-type", "both", "--output", "folds"],
        "marts.classifier_examples",
        "`deepinnovation build --select +classifier_examples`",
    ),
    "evaluate matching": (
        ["evaluate", "matching"],
        "marts.matching_audit",
        "`deepinnovation build`",
    ),
    "evaluate linking": (
        ["evaluate", "linking"],
        "marts.linking_quality",
        "`deepinnovation build`",
    ),
    "evaluate linking --links": (
        ["evaluate", "linking", "--links", LINKS],
        "intermediate.int_documents_compared",
        "`deepinnovation build`",
    ),
    "evaluate novelty": (
        ["evaluate", "novelty"],
        "marts.hyperedges",
        "`deepinnovation build`",
    ),
}


@pytest.fixture
def refusal(tmp_path, monkeypatch):
    """Return what a command says of a warehouse that it cannot read, in one line."""
    monkeypatch.chdir(tmp_path)

    def invoke(reader, warehouse):
        words = [*READERS[reader][0], "--warehouse", str(warehouse)]
        shown = CliRunner().invoke(main.main, words)
        assert shown.exit_code == 3, shown.exception
        assert "Traceback" not in shown.output
        assert shown.stdout == ""
        return " ".join(shown.stderr.split())

    return invoke


@pytest.mark.parametrize("content", ["no warehouse", "no warehouse\n" * 1000])
@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_is_no_database_is_refused(refusal, tmp_path, reader, content):
    place = tmp_path / "notes.duckdb"
    place.write_text(content)
    said = refusal(reader, place)
    assert f"{place} is not a warehouse that this DuckDB can read" in said


@pytest.mark.parametrize("reader", READERS)
def test_a_place_without_a_warehouse_is_refused_with_the_command_that_makes_one(
    refusal, tmp_path, reader
):
    assert "deepinnovation build" in refusal(reader, tmp_path / "none.duckdb")


@pytest.mark.parametrize("reader", READERS)
def test_a_warehouse_on_other_storage_is_refused(refusal, reader):
    said = refusal(reader, "s3a://bucket/warehouse")
    assert "The warehouse is at s3a://bucket/warehouse, where DuckDB does not read" in said


@pytest.mark.parametrize("reader", [name for name in READERS if READERS[name][1]])
def test_a_warehouse_without_a_table_is_refused_with_the_command_that_builds_it(
    refusal, tmp_path, reader
):
    place = tmp_path / "empty.duckdb"
    duckdb.connect(str(place)).close()
    said = refusal(reader, place)
    _, table, remedy = READERS[reader]
    assert f"The warehouse {place} has no" in said
    assert table in said and f"build it with {remedy}" in said


def test_a_warehouse_that_a_build_holds_is_refused_with_the_process(refusal, tmp_path):
    place = tmp_path / "held.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"open\n"
        for reader in READERS:
            assert f"{place} is open in process {holder.pid}" in refusal(reader, place)
        holder.communicate()


def test_a_column_of_another_version_is_named(tmp_path):
    place = tmp_path / "old.duckdb"
    with duckdb.connect(str(place)) as connection:
        connection.execute("create schema marts; create table marts.papers as select 1 as id")
    with (
        pytest.raises(InputError, match=r"built by another version.*title.*`deepinnovation"),
        opened(DuckDBFile(place), [("marts", "papers")]) as connection,
    ):
        connection.execute("select title from marts.papers")


def test_a_warehouse_is_closed_again(tmp_path):
    place = tmp_path / "open.duckdb"
    duckdb.connect(str(place)).close()
    with opened(DuckDBFile(place)) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    with duckdb.connect(str(place)) as connection:
        connection.execute("create table t as select 1")
