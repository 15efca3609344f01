"""Looking for what is nearest to a document or a text: the same answers as the pairs give."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from python_steps.command_line import main
from python_steps.embeddings.encoder import describe, load_encoder
from python_steps.errors import InputError
from python_steps.similarity import matching
from python_steps.warehouse import neighbours
from python_steps.warehouse.places import DuckDBFile
from tests.python_steps.similarity.one_block import in_one_block

PROJECT = Path(__file__).parents[3]
PAPERS = {
    "W1": (2010, "Neural networks read handwritten digits", "10.1/a"),
    "W2": (2014, "Reinforcement learning for robot grasping", "10.1/b"),
    "W3": (2018, "Handwriting recognition by recurrent networks", None),
}
PATENTS = {
    "US-1-A": (2009, "Recognition of handwritten digits", None),
    "US-2-A": (2012, "Handwritten character recognition device", None),
    "US-3-A": (2016, "Robot gripper control by learned policy", None),
    "US-4-A": (2016, "Robot gripper control by learned policy", None),
    "US-5-A": (2020, "Steel alloy for turbine blades", None),
}
# In the warehouse, but not embedded: not AI.
OTHERS = {"W9": (2011, "Reading of handwritten letters", None)}


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(precision="f32")


@pytest.fixture(scope="module")
def vectors(encoder):
    texts = {name: title for name, (_, title, _) in (PAPERS | PATENTS).items()}
    return dict(zip(texts, encoder.encode(list(texts.values())), strict=True))


@pytest.fixture
def warehouse(tmp_path: Path, encoder, vectors) -> DuckDBFile:
    documents = [
        {
            "document_id": name,
            "document_type": "paper" if name.startswith("W") else "patent",
            "year": year,
            "title": title,
            "abstract": None,
            "doi": doi,
            "publication_number": None if name.startswith("W") else name,
        }
        for name, (year, title, doi) in (PAPERS | PATENTS | OTHERS).items()
    ]
    for row in documents:
        row["is_ai"] = True
        row["embedding"] = None if row["document_id"] in OTHERS else vectors[row["document_id"]]
    encoders = describe(encoder).rename_columns({"precision": "numeric_precision"})
    tables = {
        "documents_to_match": pa.Table.from_pylist(documents),
        "model_versions": encoders.append_column("role", pa.array(["encoder"])),
    }
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        for name, table in tables.items():
            connection.register("delivered", table)
            connection.execute(f"create table marts.{name} as from delivered")
            connection.unregister("delivered")
    return DuckDBFile(path)


def ids(found):
    return found.rows.column("document_id").to_pylist()


def matches(vectors, encoder):
    """Say what the pairs of the warehouse would say."""

    def side(documents):
        return pa.table(
            {
                "document_id": list(documents),
                "year": pa.array([year for year, _, _ in documents.values()], pa.int32()),
                "embedding": pa.array(
                    [vectors[name] for name in documents], pa.list_(pa.float32(), 384)
                ),
                "model_version": [encoder.model_version] * len(documents),
            }
        )

    return matching.match(side(PAPERS), in_one_block(side(PATENTS)), count=3)


@pytest.mark.parametrize("paper", PAPERS)
def test_the_nearest_patents_of_a_paper_are_those_of_its_pairs(warehouse, paper, vectors, encoder):
    found = neighbours.nearest(warehouse, paper, project=PROJECT, count=3)
    expected = matches(vectors, encoder).filter(pa.compute.field("paper_id") == paper)
    assert ids(found) == expected.column("patent_id").to_pylist()
    assert found.rows.column("similarity").to_pylist() == expected.column("similarity").to_pylist()
    assert found.rows.column("rank").to_pylist() == expected.column("rank").to_pylist()
    assert (found.query["document_id"], found.from_year) == (paper, PAPERS[paper][0])


def test_of_a_patent_papers_are_found_that_are_not_later(warehouse):
    found = neighbours.nearest(warehouse, "US-3-A", project=PROJECT, count=5)
    assert (found.document_type, found.from_year, found.to_year) == ("paper", None, 2016)
    assert ids(found)[0] == "W2"
    assert "W3" not in ids(found)


def test_years_that_are_asked_for_replace_those_of_the_document(warehouse):
    early = neighbours.nearest(warehouse, "W3", project=PROJECT, count=5, to_year=2012)
    assert sorted(ids(early)) == ["US-1-A", "US-2-A"]
    both = neighbours.nearest(
        warehouse, "W3", project=PROJECT, count=5, from_year=2012, to_year=2016
    )
    assert sorted(ids(both)) == ["US-2-A", "US-3-A", "US-4-A"]


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("10.1/A", "W1"),
        ("https://doi.org/10.1/b", "W2"),
        ("doi:10.1/b", "W2"),
        ("us-3-a", "US-3-A"),
    ],
)
def test_a_document_is_found_by_other_names(warehouse, name, document):
    assert (
        neighbours.nearest(warehouse, name, project=PROJECT, count=1).query["document_id"]
        == document
    )


def test_a_text_is_embedded_and_looked_for_among_either_kind(warehouse):
    found = neighbours.nearest(warehouse, "robot gripper control", project=PROJECT, count=2)
    assert found.query is None
    assert ids(found) == ["US-3-A", "US-4-A"]  # equal texts, so by id
    papers = neighbours.nearest(
        warehouse, "robot gripper", project=PROJECT, count=1, document_type="paper"
    )
    assert ids(papers) == ["W2"]


def test_a_document_without_a_vector_is_embedded(warehouse):
    found = neighbours.nearest(warehouse, "W9", project=PROJECT, count=1)
    assert found.query["document_id"] == "W9"
    assert ids(found) == ["US-2-A"]


def test_a_document_is_not_its_own_neighbour(warehouse):
    found = neighbours.nearest(warehouse, "W1", project=PROJECT, count=10, document_type="paper")
    assert sorted(ids(found)) == ["W2", "W3"]
    assert found.rows.column("rank").to_pylist() == [1, 2]
    assert (found.from_year, found.to_year) == (None, None)


def test_an_unknown_name_is_not_taken_for_a_text(warehouse):
    with pytest.raises(InputError, match=r"No document of the warehouse has the id.* W4711"):
        neighbours.nearest(warehouse, "W4711", project=PROJECT, count=1)


def test_a_text_needs_the_model_of_the_warehouse(warehouse):
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("update marts.model_versions set model_version = 'other/1'")
    with pytest.raises(InputError, match=r"embedded by other/1.*--embedding-model"):
        neighbours.nearest(warehouse, "robot gripper", project=PROJECT, count=1)
    stored = np.array(
        neighbours.nearest(warehouse, "W2", project=PROJECT, count=1).rows.column("similarity")
    )
    assert stored[0] > 0.3


# ---------------------------------------------------------------- the command


def run(warehouse, *arguments):
    return CliRunner().invoke(main.main, ["match", "--warehouse", str(warehouse.path), *arguments])


def test_the_command_shows_what_was_asked_and_what_was_found(warehouse):
    shown = run(warehouse, "--query", "W2", "--k", "2")
    assert shown.exit_code == 0, shown.output
    assert f"Patents from 2014, nearest to: {PAPERS['W2'][1]} (W2, 2014)" in shown.output
    assert "US-3-A" in shown.output
    assert "US-5-A" not in shown.output


def test_the_command_gives_rows_for_programs(warehouse):
    lines = run(warehouse, "--query", "US-3-A", "--k", "1", "--format", "json").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["rank"], row["document_id"]) for row in rows] == [(1, "W2")]
    table = run(warehouse, "--query", "US-3-A", "--k", "1", "--format", "csv").stdout.splitlines()
    assert table[0].replace('"', "") == "rank,similarity,relatedness,document_id,year,is_ai,title"
    assert len(table) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--query", "W4711"], 3, "No document of the warehouse"),
        (["--query", "  "], 2, "--query is empty"),
        (["--query", "W1", "--from-year", "2010", "--to-year", "2009"], 2, "after --to-year"),
        (["--query", "W1", "--k", "0"], 2, "--k"),
    ],
)
def test_the_command_says_what_is_wrong(warehouse, arguments, code, told):
    shown = run(warehouse, *arguments)
    assert shown.exit_code == code
    assert told in shown.output


def test_relatedness_rises_with_similarity_between_papers_and_patents_only(warehouse):
    rows = neighbours.nearest(warehouse, "W1", project=PROJECT, count=5).rows.to_pylist()
    related = [row["relatedness"] for row in rows]
    assert related == sorted(related, reverse=True)
    assert 0 < related[-1] < 0.5 < related[0] < 1
    among_papers = neighbours.nearest(
        warehouse, "W1", project=PROJECT, count=2, document_type="paper"
    )
    assert among_papers.rows.column("relatedness").to_pylist() == [None, None]


@pytest.mark.parametrize(
    ("query", "is_told"), [("reading of handwritten digits", False), ("baking of bread", True)]
)
def test_the_command_says_where_nothing_is_related(warehouse, query, is_told):
    words = ["match", "--query", query, "--warehouse", str(warehouse.path)]
    shown = CliRunner().invoke(main.main, words)
    assert shown.exit_code == 0, shown.output
    assert ("Probably none of them is related" in " ".join(shown.output.split())) == is_told
