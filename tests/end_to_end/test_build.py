"""Claims about the whole: the bundled sample from the delivered files to the published ones."""

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from python_steps.building.journal import Journal
from python_steps.command_line.options import project_folder
from python_steps.sources.locations import sample
from python_steps.sources.preview import read_head
from tests.end_to_end.conftest import Built, build, command, environment, place_in

SAMPLE = project_folder() / "seeds/sample"

HEADERS = {
    "DeepPatentAI.csv": "ID,PN,IPC,Title,Abstract,Year,Keywords,Novelty",
    "DeepDiveAI.csv": "ID,Title,Source,Abstract,DOI,Year,Cited,Keywords,Name,Language,Type,"
    "Affiliations,Novelty",
    "DeepCosineAI.csv": "Paper_ID,Patent_ID,Similarity",
}


def rows_of(built: Built, name: str) -> list[dict[str, str]]:
    with (built.publication / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# ---------------------------------------------------------------- what is published


@pytest.mark.parametrize("name", HEADERS)
def test_the_published_files_have_their_exact_headers_and_rows(sample_build, name):
    first = (sample_build.publication / name).read_text(encoding="utf-8").splitlines()[0]
    assert first == HEADERS[name]
    assert len(rows_of(sample_build, name)) > 10


def test_every_csv_has_its_parquet_twin_with_at_least_its_rows(sample_build):
    for name in HEADERS:
        (twin,) = sample_build.publication.glob(f"{Path(name).stem}*.parquet")
        ((count,),) = sample_build.rows(f"select count(*) from read_parquet('{twin}')")
        assert count >= len(rows_of(sample_build, name))


@pytest.mark.parametrize("name", ["DeepPatentAI.csv", "DeepDiveAI.csv"])
def test_documents_are_sorted_by_year_and_number(sample_build, name):
    keys = [(int(r["Year"] or 9999), int(r["ID"])) for r in rows_of(sample_build, name)]
    assert keys == sorted(keys)
    assert len({number for _, number in keys}) == len(keys)


def test_pairs_are_sorted_by_paper_and_there_is_one_for_each(sample_build):
    papers = [int(row["Paper_ID"]) for row in rows_of(sample_build, "DeepCosineAI.csv")]
    assert papers == sorted(set(papers))


@pytest.mark.parametrize(
    ("name", "columns"),
    [("DeepPatentAI.csv", ["IPC", "Keywords"]), ("DeepDiveAI.csv", ["Keywords", "Name"])],
)
def test_lists_are_json_arrays_of_text_without_blanks(sample_build, name, columns):
    for row in rows_of(sample_build, name):
        for column in columns:
            values = json.loads(row[column])
            assert all(isinstance(value, str) and value.strip() for value in values)
        assert json.loads(row["Keywords"])


def test_classes_are_written_without_a_blank(sample_build):
    codes = [c for r in rows_of(sample_build, "DeepPatentAI.csv") for c in json.loads(r["IPC"])]
    assert codes and not [code for code in codes if " " in code]


def test_papers_and_patents_share_no_number_and_pairs_name_only_published_ones(sample_build):
    papers = {row["ID"] for row in rows_of(sample_build, "DeepDiveAI.csv")}
    patents = {row["ID"] for row in rows_of(sample_build, "DeepPatentAI.csv")}
    pairs = rows_of(sample_build, "DeepCosineAI.csv")
    assert not papers & patents
    assert {pair["Paper_ID"] for pair in pairs} <= papers
    assert {pair["Patent_ID"] for pair in pairs} <= patents


def test_no_patent_is_earlier_than_its_paper(sample_build):
    papers = {row["ID"]: int(row["Year"]) for row in rows_of(sample_build, "DeepDiveAI.csv")}
    patents = {row["ID"]: int(row["Year"]) for row in rows_of(sample_build, "DeepPatentAI.csv")}
    for pair in rows_of(sample_build, "DeepCosineAI.csv"):
        assert patents[pair["Patent_ID"]] >= papers[pair["Paper_ID"]]
        assert -1 <= float(pair["Similarity"]) <= 1


# ---------------------------------------------------------------- nothing is lost


@pytest.mark.parametrize(("kind", "pattern"), [("paper", "openalex/**"), ("patent", "google_*")])
def test_every_delivered_line_is_accepted_merged_or_rejected(sample_build, kind, pattern):
    files = [f for folder in SAMPLE.glob(pattern) for f in folder.glob("*.jsonl")]
    lines = [line for file in set(files) for line in file.read_text().splitlines() if line.strip()]
    counts = "sum(delivered_records), sum(accepted_records), sum(merged_records)"
    ((delivered, accepted, merged, rejected),) = sample_build.rows(
        f"select {counts}, sum(rejected_records) from marts.record_counts "
        f"where document_type = '{kind}'"
    )
    assert delivered == len(lines) == accepted + merged + rejected
    assert sample_build.rows(f"select count(*) from marts.{kind}s") == [(accepted,)]


def test_rejected_records_are_kept_with_a_reason(sample_build):
    ((counted,),) = sample_build.rows("select sum(rejected_records) from marts.record_counts")
    rows = sample_build.rows("select entity, reason, raw_record from marts.rejected_records")
    assert len([entity for entity, _, _ in rows if entity in ("paper", "patent")]) == counted > 0
    assert "deleted_upstream" in {reason for _, reason, _ in rows}
    assert [row for row in rows if not row[1] or row[2] is None] == []


@pytest.mark.parametrize(
    ("option", "system", "entity"),
    [
        ("papers", "openalex", "paper"),
        ("patents", "google_patents", "patent"),
        ("labels", "tables", "label"),
        ("links", "tables", "link"),
    ],
)
def test_check_foresees_the_records_that_a_build_rejects(sample_build, option, system, entity):
    project = project_folder()
    (source,) = [s for s in sample(project) if (s.entity, s.delivery.system) == (option, system)]
    rejected = sample_build.rows(
        "select reason, count(*) from marts.rejected_records "
        f"where entity = '{entity}' group by reason"
    )
    assert read_head(source, project).rejected == dict(rejected)


# ---------------------------------------------------------------- what is described


def test_every_relation_and_every_column_of_it_carries_its_description(sample_build):
    schemas = "schema_name in ('staging', 'intermediate', 'marts', 'publication')"
    bare = sample_build.rows(
        f"""
        select schema_name, table_name, '' from duckdb_tables()
        where {schemas} and coalesce(comment, '') = ''
        union all
        select schema_name, view_name, '' from duckdb_views()
        where {schemas} and coalesce(comment, '') = ''
        union all
        select schema_name, table_name, column_name from duckdb_columns()
        where {schemas} and coalesce(comment, '') = ''
        order by all
        """
    )
    assert not bare
    ((described,),) = sample_build.rows(f"select count(*) from duckdb_columns() where {schemas}")
    assert described > 200


def test_every_table_and_view_can_be_read_whole(sample_build):
    relations = sample_build.rows(
        """
        select schema_name || '.' || table_name from duckdb_tables() where not internal
        union all
        select schema_name || '.' || view_name from duckdb_views() where not internal
        """
    )
    assert len(relations) > 100
    for (relation,) in relations:
        assert isinstance(sample_build.rows(f"select * from {relation}"), list), relation


# ---------------------------------------------------------------- what is said


def test_the_build_says_what_it_read_where_files_are_and_what_to_type(sample_build):
    for told in (
        "bundled sample",
        "paper records read",
        "audit: recall at 1",
        "DeepCosineAI.csv",
        "deepinnovation query 'select",
        " docs   # what every table and column means",
    ):
        assert told in sample_build.said


def test_the_query_that_the_build_proposes_works(sample_build):
    (line,) = [line for line in sample_build.said.splitlines() if "deepinnovation query '" in line]
    sql = line.split("'")[1]
    run = subprocess.run(
        [sys.executable, "-m", "python_steps", "query", sql],
        env=environment(DEEPINNOVATION_WAREHOUSE=str(sample_build.warehouse)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "title" in run.stdout


# ---------------------------------------------------------------- again, killed, in parts


def test_a_repeated_build_does_nothing_and_does_it_fast(sample_build):
    before = sample_build.published()
    changed_at = sample_build.warehouse.stat().st_mtime_ns
    start = time.monotonic()
    again = build(sample_build)
    assert time.monotonic() - start < 10
    assert "Nothing changed since" in again.said
    assert again.published() == before
    assert sample_build.warehouse.stat().st_mtime_ns == changed_at


def kill_when(place: Built, is_time: Callable[[], bool]) -> None:
    """Start a build and kill it, as `kill -9` does, at a moment."""
    place.warehouse.parent.mkdir(exist_ok=True)
    with subprocess.Popen(
        command(place, "--quiet"), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            while not is_time():
                assert process.poll() is None, "ended before its time"
                time.sleep(0.02)
        finally:
            process.send_signal(signal.SIGKILL)


@pytest.mark.slow
def test_a_build_killed_three_times_publishes_the_same_bytes(sample_build, tmp_path):
    place = place_in(tmp_path)
    path = place.warehouse.with_name("warehouse.duckdb.journal.jsonl")
    checkpoints = place.warehouse.with_name("warehouse.duckdb.checkpoints")

    def is_finished(node: str) -> bool:
        written = path.read_text() if path.exists() else ""
        return f'"model.deepinnovation.{node}", "status": "success"' in written

    kill_when(place, lambda: is_finished("int_documents_unioned"))
    kill_when(place, lambda: len(list(checkpoints.glob("*"))) >= 3)
    assert not is_finished("int_documents_embedded")
    kill_when(place, lambda: is_finished("DeepCosineAI"))
    finished = set(Journal.read(path).finished)
    resumed = build(place)
    assert "Continuing the last build" in resumed.said
    again = [line["again"] for line in _lines(path) if "again" in line]
    assert not [node for nodes in again for node in nodes if node in finished]
    assert resumed.published() == sample_build.published()
    assert not checkpoints.exists()


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_a_delivery_in_two_parts_publishes_the_same_bytes(sample_build, tmp_path):
    delivered = tmp_path / "delivered"
    shutil.copytree(SAMPLE, delivered)
    patents = delivered / "google_patents/publications_000.jsonl"
    lines = patents.read_text().splitlines(keepends=True)
    # Two lines are poorer copies of earlier ones: in a later file they would be the newer ones.
    copies = [lines.pop(100), lines.pop(87)]
    patents.write_text("".join([*copies, *lines[:50]]))
    works = sorted(delivered.glob("openalex/data/jsonl/works/updated_date=*/*.jsonl"))
    later = works[-1].rename(tmp_path / "later.jsonl")
    place = place_in(tmp_path / "made")
    options = (
        *("--papers", f"openalex={delivered}/openalex", "--labels", f"{delivered}/labels.csv"),
        *("--patents", f"google_patents={delivered}/google_patents"),
    )
    first = build(place, *options, DBT_EXCLUDE_RESOURCE_TYPES="test")  # the second tests its rows
    assert first.published() != sample_build.published()
    later.rename(works[-1])
    patents.with_name("publications_001.jsonl").write_text("".join(lines[50:]))
    second = build(place, *options)
    assert "Changed since the last build: source files" in second.said
    assert second.published() == sample_build.published()
    # Matches of papers that nothing has happened to were taken over, and all are the same.
    ((carried, kept),) = second.rows(
        "select count(distinct paper_id), count(*) from intermediate.int_matches_carried"
    )
    assert carried >= 20
    assert kept >= carried
    matches = "from intermediate.int_papers_matched_to_patents order by all"
    assert second.rows(matches) == sample_build.rows(matches)


@pytest.mark.slow
def test_works_as_zipped_pages_of_the_api_publish_the_same_bytes(sample_build, tmp_path):
    snapshot = SAMPLE / "openalex/data/jsonl"
    with zipfile.ZipFile(tmp_path / "pages.zip", "w") as archive:
        for number, file in enumerate(sorted(snapshot.glob("works/updated_date=*/*.jsonl"))):
            works = [line for line in file.read_text().splitlines() if _is_json(line)]
            archive.writestr(f"page_{number}.json", f"[{', '.join(works)}]")
    lists = tmp_path / "lists"
    shutil.copytree(snapshot / "merged_ids", lists / "merged_ids")
    (lists / "works").mkdir()
    shutil.copy(snapshot / "works/deleted_ids.csv", lists / "works")
    made = build(
        place_in(tmp_path / "made"),
        *("--papers", f"openalex={tmp_path}/pages.zip", "--papers", f"openalex={lists}"),
        *("--patents", f"google_patents={SAMPLE}/google_patents"),
        *("--labels", f"{SAMPLE}/labels.csv"),
    )
    assert made.published() == sample_build.published()


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def plain_dbt(place: Built, folder: Path, *arguments: str) -> None:
    """Run dbt as its users do, on the project where it is and a warehouse elsewhere."""
    project = project_folder()
    run = subprocess.run(
        [
            *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", *arguments),
            *("--project-dir", str(project), "--profiles-dir", str(project)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        ],
        env=environment(
            DEEPINNOVATION_WAREHOUSE=str(place.warehouse),
            DEEPINNOVATION_PUBLICATION=str(place.publication),
        ),
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]


def test_the_unit_tests_of_the_models_hold(sample_build, tmp_path):
    place = place_in(tmp_path)
    shutil.copy(sample_build.warehouse, place.warehouse)
    plain_dbt(place, tmp_path, "test", "--select", "test_type:unit")


@pytest.mark.slow
def test_plain_dbt_publishes_the_same_bytes(sample_build, tmp_path):
    place = place_in(tmp_path)
    place.publication.mkdir()
    before = set(project_folder().iterdir())
    plain_dbt(place, tmp_path, "build")
    assert place.published() == sample_build.published()
    assert set(project_folder().iterdir()) == before, "dbt left something behind"
