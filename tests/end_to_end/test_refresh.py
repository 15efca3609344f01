"""A refresh matches only what has changed, and gives what a build from nothing gives."""

import copy

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from dbt.cli.main import dbtRunner

from python_steps.command_line.options import project_folder

WIDTH = 24
SPACES = ("title_abstract", "keywords")
NODES = (
    "int_documents_compared int_matches_carried int_papers_to_match int_patents_to_match "
    "int_matches_found int_papers_matched_to_patents int_vectors_matched"
)
VARIABLES = "{top_k: 4, patents_per_block: 40, published_space: keywords}"


# What the nodes read, made of documents with their vectors.
VECTORS = "select document_id, shard, text_hash, model_version, embedding from compared"
TABLES = {
    "int_documents_unioned": (
        "select distinct document_id, document_type, year, year_basis from compared"
    ),
    "int_documents_decided": "select distinct document_id, true as is_ai from compared",
    "int_encoders_loaded": "select distinct model_version from compared",
    "int_document_vectors": f"{VECTORS} where space = 'title_abstract'",
    "int_documents_embedded": f"{VECTORS} where space = 'title_abstract'",
    "int_keyword_texts": f"{VECTORS} where space = 'keywords'",
    "int_keyword_texts_embedded": f"{VECTORS} where space = 'keywords'",
}


class Corpus:
    """Documents with a vector in each space."""

    def __init__(self):
        self.random = np.random.default_rng(7)
        self.documents = {}
        for number in range(160):
            self.write(f"W{number:04d}")
        for number in range(220):
            self.write(f"P{number:04d}")

    def write(self, name, year=None):
        """Add a document, or change its text."""
        year = year or int(self.random.integers(2001, 2013))
        vectors = self.random.normal(size=(len(SPACES), WIDTH)) + 0.4
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        self.documents[name] = (year, vectors.astype(np.float32), f"{self.random.integers(10**9)}")

    def table(self):
        rows = [
            {
                "space": space,
                "document_id": name,
                "document_type": "paper" if name.startswith("W") else "patent",
                "year": year,
                "year_basis": "publication",
                "shard": f"{int(name[1:]) % 3}",
                "text_hash": text,
                "embedding": vectors[place].tolist(),
                "model_version": "a model",
            }
            for name, (year, vectors, text) in sorted(self.documents.items())
            for place, space in enumerate(SPACES)
        ]
        return pa.Table.from_pylist(rows)


MANIFESTS = {}  # the project as dbt parses it, by variables: the same for every warehouse


class Warehouse:
    """A warehouse that is built from its documents and their vectors on."""

    def __init__(self, folder, width=WIDTH):
        folder.mkdir()
        self.folder = folder
        self.width = width
        self.path = folder / "warehouse.duckdb"

    def build(self, corpus, nodes=NODES, *options, variables=VARIABLES):
        with duckdb.connect(str(self.path)) as connection:
            connection.register("given", corpus.table())
            connection.execute(
                "create temp view compared as "
                f"select * replace (embedding::float[{self.width}] as embedding, "
                "year::integer as year) from given"
            )
            connection.execute("create schema if not exists intermediate")
            for name, sql in TABLES.items():
                connection.execute(f"create or replace table intermediate.{name} as {sql}")
        project = str(project_folder())
        common = [
            *("--quiet", "--project-dir", project, "--profiles-dir", project),
            *("--target-path", str(self.folder / "target")),
            *("--log-path", str(self.folder / "logs"), "--vars", variables),
        ]
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("DEEPINNOVATION_WAREHOUSE", str(self.path))
            patched.chdir(project)
            if variables not in MANIFESTS:
                parsed = dbtRunner().invoke(["parse", *common])
                assert parsed.success, parsed.exception
                MANIFESTS[variables] = parsed.result
            runner = dbtRunner(manifest=MANIFESTS[variables].deepcopy())
            run = runner.invoke(["run", *common, "--select", *nodes.split(), *options])
        assert run.success, run.exception or [result.message for result in run.result]

    def rows(self, sql):
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def matches(self):
        return self.rows("from intermediate.int_papers_matched_to_patents order by all")

    def papers(self, table, column="paper_id"):
        return {
            (space, paper)
            for space, paper in self.rows(
                f"select distinct space, {column} from intermediate.{table}"
            )
        }


@pytest.fixture(scope="module")
def corpus():
    return Corpus()


@pytest.fixture(scope="module")
def refreshed(corpus, tmp_path_factory):
    warehouse = Warehouse(tmp_path_factory.mktemp("refreshed") / "made")
    warehouse.build(corpus)
    return warehouse


def rebuilt(corpus, folder, **settings):
    warehouse = Warehouse(folder / "rebuilt")
    warehouse.build(corpus, **settings)
    return warehouse.matches()


def test_a_first_build_carries_nothing_and_an_unchanged_one_everything(corpus, refreshed):
    assert refreshed.papers("int_matches_carried") == set()
    before = refreshed.matches()
    refreshed.build(corpus)
    assert refreshed.rows("from intermediate.int_matches_found") == []
    assert refreshed.matches() == before


def test_a_refresh_gives_what_a_build_from_nothing_gives(corpus, refreshed, tmp_path):
    before = refreshed.matches()
    found_by = {row[2]: row[1] for row in before if row[0] == "keywords"}
    gone, changed = sorted(found_by)[:2]
    del corpus.documents[gone]
    corpus.write(changed)
    corpus.write("P0003", year=2012)
    corpus.write("W0005")
    del corpus.documents["W0006"]
    for number in range(9):
        corpus.write(f"P9{number:03d}", year=2000 + number)
        corpus.write(f"W9{number:03d}")
    corpus.write("W9999", year=2020)  # later than every patent
    refreshed.build(corpus)
    carried = refreshed.papers("int_matches_carried")
    searched = refreshed.papers("int_papers_to_match where not is_carried", "document_id")
    assert len(carried) > 150
    assert ("keywords", found_by[gone]) in searched
    assert ("keywords", found_by[changed]) in searched
    assert {("keywords", "W0005"), ("title_abstract", "W9001")} <= searched
    assert not {paper for _, paper in carried | searched} & {"W0006"}
    # Some papers that were carried over have a new patent all the same.
    assert carried & refreshed.papers("int_matches_found")
    assert refreshed.matches() != before
    assert refreshed.matches() == rebuilt(corpus, tmp_path)


def test_a_build_that_died_after_its_matches_does_no_harm(corpus, refreshed, tmp_path):
    # What is remembered is of the build before: added patents are known from the matches alone.
    known = refreshed.matches()[0][2]
    corpus.write("P8000", year=2012)
    corpus.write("W8000", year=2001)
    refreshed.build(corpus, NODES.replace("int_vectors_matched", ""))
    del corpus.documents["P8000"]
    corpus.write(known)
    refreshed.build(corpus)
    assert refreshed.matches() == rebuilt(corpus, tmp_path)


def test_matches_of_other_vectors_than_those_remembered_are_not_carried_over(
    corpus, refreshed, tmp_path
):
    # What is remembered, and what comes again, is of the build before the one that died.
    refreshed.build(corpus)
    before = refreshed.matches()
    meanwhile = copy.deepcopy(corpus)
    del meanwhile.documents[before[0][2]]
    meanwhile.write("P0011", year=2012)
    refreshed.build(meanwhile, NODES.replace("int_vectors_matched", ""))
    assert refreshed.matches() != before
    refreshed.build(corpus)
    assert refreshed.papers("int_matches_carried") == set()
    assert refreshed.matches() == before == rebuilt(corpus, tmp_path)


def test_other_settings_carry_nothing_over(corpus, refreshed, tmp_path):
    fewer = VARIABLES.replace("top_k: 4", "top_k: 2")
    refreshed.build(corpus, variables=fewer)
    assert refreshed.papers("int_matches_carried") == set()
    assert refreshed.matches() == rebuilt(corpus, tmp_path, variables=fewer)


def test_a_full_refresh_carries_nothing_over(corpus, refreshed):
    refreshed.build(corpus)
    before = refreshed.matches()
    refreshed.build(corpus, NODES, "--full-refresh")
    assert refreshed.papers("int_matches_carried") == set()
    assert refreshed.matches() == before
