"""Claims about `deepinnovation classify`: a table in, a decision for every record out."""

import itertools
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner

from python_steps.building.journal import Journal
from python_steps.command_line import main
from tests.end_to_end.conftest import environment

COLUMNS = (
    *("source", "source_record_id", "document_id", "is_ai", "outer_probability"),
    *("inner_probability", "decided_by", "reason", "model_version"),
)
ABSTRACT = "We train a convolutional neural network to recognise handwritten digits in photographs."

CSV = f"""id,title,abstract,doi,publication_year,language
c1,Convolutional networks for handwriting,"{ABSTRACT}",10.1000/one,2020,en
c2,The meadows of a medieval poet,"We read poems on meadows, and on those who wrote them.",,2001,en
c3,,"An abstract of a paper that has no title.",,2001,en
c4,*+*,,,2001,
"""
LINES = [
    {
        "source": "lines",
        "id": "l1",
        "title": "卷积神经网络",
        "abstract": "我们训练",
        "language": "zh",
    },
    # The paper c1 again, better known.
    {"source": "lines", "id": "l2", "title": "Convolutional networks", "abstract": ABSTRACT * 2}
    | {"doi": "https://doi.org/10.1000/ONE", "language": "en"},
]
# So long that a copy of the text for each of its words would not fit into memory.
LONG = "It likes lettuce. " + " ".join(map("".join, itertools.product("abcdefghijk", repeat=4)))
ROWS = [
    {"id": "p1", "title": "A paper of the future", "publication_year": 2999, "authors": ["A B"]}
    | {"abstract": None, "language": None},
    {"id": "p2", "title": "On the habits of the snail", "abstract": LONG * 4, "language": "en"},
]


def command(location: Path, output: Path, *arguments: str) -> list[str]:
    """Return the command, to be run in a process of its own."""
    return [
        *(sys.executable, "-m", "python_steps", "classify"),
        *(str(location), "--output", str(output), *arguments),
    ]


def classify(location: Path, output: Path, *arguments: str) -> str:
    """Classify, from a folder that is not the project's, and return what is said."""
    run = subprocess.run(
        command(location, output, *arguments),
        env=environment(),
        cwd=location.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert not output.with_name(f"{output.name}.partial").exists()
    return run.stdout


def rows(output: Path) -> list[dict]:
    read = duckdb.read_json if output.suffix == ".jsonl" else duckdb.read_parquet
    return read(str(output)).to_arrow_table().to_pylist()


@pytest.fixture(scope="module")
def papers(tmp_path_factory) -> tuple[list[dict], str]:
    """Decisions on a folder of papers in three formats, and what was said meanwhile."""
    folder = tmp_path_factory.mktemp("papers")
    delivered = folder / "delivered"
    delivered.mkdir()
    (delivered / "a.csv").write_text(CSV, encoding="utf-8")
    lines = [json.dumps(line, ensure_ascii=False) for line in LINES]
    (delivered / "b.jsonl").write_text("\n".join([*lines, '{"id": "l3"']), encoding="utf-8")
    duckdb.from_arrow(pa.Table.from_pylist(ROWS)).write_parquet(str(delivered / "c.parquet"))
    output = folder / "it's here" / "decisions.jsonl"
    said = classify(delivered, output)
    return rows(output), said


def test_every_delivered_paper_has_one_row_in_the_order_of_delivery(papers):
    decided, _ = papers
    assert [tuple(row) for row in decided] == [COLUMNS] * 9
    assert [(row["source"], row["source_record_id"]) for row in decided] == [
        *(("tables", f"c{number}") for number in (1, 2, 3, 4)),
        *(("lines", "l1"), ("lines", "l2"), ("tables", None)),
        *(("tables", "p1"), ("tables", "p2")),
    ]


def test_what_cannot_be_judged_is_undecided_with_the_reason(papers):
    undecided = {row["source_record_id"]: row for row in papers[0] if row["is_ai"] is None}
    assert {name: row["reason"] for name, row in undecided.items()} == {
        "c3": "rejected: missing_title",
        "c4": "no_text",
        "l1": "language_not_supported: zh",
        None: "rejected: malformed_record",
        "p1": "rejected: impossible_year",
    }
    for row in undecided.values():
        assert row["outer_probability"] is row["decided_by"] is row["model_version"] is None
        assert (row["document_id"] is None) == row["reason"].startswith("rejected: ")


def test_what_is_judged_names_the_layer_and_its_model(papers):
    judged = [row for row in papers[0] if row["is_ai"] is not None]
    assert {row["source_record_id"] for row in judged} == {"c1", "c2", "l2", "p2"}
    for row in judged:
        assert row["decided_by"] in ("outer", "inner")
        assert row["model_version"].startswith(row["decided_by"])
        assert 0 <= row["outer_probability"] <= 1
        assert (row["inner_probability"] is None) == (row["decided_by"] == "outer")


def test_records_of_one_document_share_its_decision(papers):
    one, other = (row for row in papers[0] if row["source_record_id"] in ("c1", "l2"))
    apart = ("source", "source_record_id")
    assert [one[name] for name in COLUMNS if name not in apart] == [
        other[name] for name in COLUMNS if name not in apart
    ]


def test_a_line_each_says_what_was_read_what_came_of_it_and_what_shares_a_decision(papers):
    read, told, shared = papers[1].splitlines()
    assert read.startswith("Reading 9 papers from ")
    assert told.startswith("9 papers: ") and told.endswith("decisions.jsonl")
    assert "5 not judged (" in told and "1 rejected: missing title" in told
    assert shared == ("1 record shares an id, DOI or title with another one and has its decision.")


def test_without_records_there_is_a_header_and_no_row(tmp_path):
    table, output = tmp_path / "t.csv", tmp_path / "decisions.csv"
    table.write_text("id,title\n", encoding="utf-8")
    # In this process, which spares what a process of its own would import.
    run = CliRunner().invoke(main.main, ["classify", str(table), "--output", str(output)])
    assert run.exit_code == 0, run.output
    assert output.read_text(encoding="utf-8") == f"{','.join(COLUMNS)}\n"
    assert "0 papers: 0 AI, 0 not AI, 0 not judged." in run.output


def test_a_killed_run_goes_on_with_what_it_has_decided(tmp_path):
    delivered = tmp_path / "patents.jsonl"
    patents = [
        {"publication_number": f"US{number}A1", "title": f"Device {number}", "language": "en"}
        | {"abstract": f"A device with a neural network and {number} wheels.", "ipc": "G06N 3/08"}
        for number in range(10_000_000, 10_000_100)
    ]
    text = "".join(json.dumps(patent) + "\n" for patent in patents)
    delivered.write_text(text, encoding="utf-8")
    output = tmp_path / "decisions.parquet"
    output.write_bytes(b"older")
    place = tmp_path / "decisions.parquet.partial" / "decisions.parquet.duckdb"
    checkpoints = place.with_name(f"{place.name}.checkpoints")
    with subprocess.Popen(
        command(delivered, output, "--quiet"), env=environment(), stderr=subprocess.PIPE
    ) as process:
        try:
            while len(list(checkpoints.glob("*.shard.arrow"))) < 2:
                assert process.poll() is None, process.stderr.read().decode()
                time.sleep(0.01)
        finally:
            process.send_signal(signal.SIGKILL)
    finished = Journal.read(place.with_name(f"{place.name}.journal.jsonl")).finished
    assert "model.deepinnovation.int_documents_classified" not in finished
    assert output.read_bytes() == b"older"
    # What was decided before is recognised by a mark, as the model would not give it.
    marked = sorted(checkpoints.glob("*.shard.arrow"))[0]
    before = pa.ipc.open_file(pa.py_buffer(marked.read_bytes())).read_all()
    place_of = before.column_names.index("probability")
    after = before.set_column(place_of, "probability", pa.array([0.0] * before.num_rows))
    with pa.OSFile(str(marked), "wb") as sink, pa.ipc.new_file(sink, after.schema) as writer:
        writer.write_table(after)

    assert classify(delivered, output, "--quiet") == ""
    decided = rows(output)
    assert [row["source_record_id"] for row in decided] == [
        patent["publication_number"] for patent in patents
    ]
    assert [row["document_id"] for row in decided if row["outer_probability"] == 0.0] == sorted(
        set(before.column("document_id").to_pylist())
    )
    assert all(row["decided_by"] in ("outer", "inner") for row in decided)
    assert not [path for path in tmp_path.iterdir() if path not in (delivered, output)]
