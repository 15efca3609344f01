"""Claims about `build --target spark`: resuming, what is said, what is refused before it starts.

Every build runs in a process of its own: a process has one Spark session, and that one warehouse.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from python_steps import errors
from python_steps.building import build as building_build
from python_steps.building import failures
from python_steps.building import spark as building_spark
from python_steps.building.build import lost_files
from python_steps.building.journal import Journal
from python_steps.building.settings import Settings
from python_steps.command_line import main
from python_steps.command_line.console import BuildReporter
from python_steps.command_line.options import project_folder
from python_steps.errors import BuildError
from python_steps.sources.systems import source_of
from python_steps.warehouse import places
from tests.python_steps.building.test_build import PROJECT, unindented, wait_until

ON_SPARK = {
    "dbt_project.yml": PROJECT["dbt_project.yml"].replace(
        "models:\n", "models:\n          +file_format: parquet\n", 1
    ),
    "models/staging/small/_small__sources.yml": PROJECT["models/staging/small/_small__sources.yml"],
    "profiles.yml": """
        small:
          target: spark
          outputs:
            spark:
              type: sparksession
              schema: default
              threads: 1
              remote: "{{ env_var('DEEPINNOVATION_SPARK_REMOTE', '') }}"
              master: "{{ env_var('DEEPINNOVATION_SPARK_MASTER', 'local[1,1]') }}"
              catalog: "{{ env_var('DEEPINNOVATION_SPARK_CATALOG', '') }}"
              warehouse: "{{ env_var('DEEPINNOVATION_WAREHOUSE') }}"
              memory: 1GB
    """,
    "macros/generate_schema_name.sql": PROJECT["macros/generate_schema_name.sql"],
    "models/staging/stg_papers.sql": """
        select _c0 as id, _c1 as title
        from csv.`{{ env_var("DEEPINNOVATION_PAPERS_TABLES") }}` where _c0 <> 'id'
    """,
    # A worker fails if told to; the driver waits for as long as a test holds it.
    "models/intermediate/int_papers_counted.py": """
        import os
        import time
        from pathlib import Path


        def model(dbt, session):
            place = Path(os.environ["SMALL_PROJECT_RUNS"])
            told = place.with_name("fail").exists()

            def step(batches):
                for batch in batches:
                    if told:
                        raise ValueError("told to fail")
                    yield batch

            place.touch()
            while place.with_name("hold").exists():
                time.sleep(0.05)
            return dbt.ref("stg_papers").mapInArrow(step, "id string, title string")
    """,
    "models/marts/papers.sql": PROJECT["models/marts/papers.sql"],
    "models/marts/papers.yml": """
        models:
          - name: papers
            columns: [{name: id, data_tests: [unique]}]
    """,
    "models/marts/build_summary.sql": PROJECT["models/marts/build_summary.sql"],
    "models/publication/Papers.sql": """
        {% set file = env_var('DEEPINNOVATION_PUBLICATION') ~ '/Papers.csv' %}
        {{ config(post_hook="{% if execute %}{% do adapter.write_file(
            this, '" ~ file ~ "', 'format csv, header') %}{% endif %}") }}
        select * from {{ ref('papers') }} order by id
    """,
}


@dataclass
class Place:
    """A small project, and where it builds."""

    folder: Path

    @property
    def warehouse(self) -> Path:
        return self.folder / "made/warehouse.spark"

    @property
    def publication(self) -> Path:
        return self.folder / "made/publication"

    def journal(self) -> list[dict]:
        path = self.folder / "made/warehouse.spark.journal.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]

    def finished(self) -> set[str]:
        return {line["node"].split(".")[2] for line in self.journal() if "node" in line}

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "DEEPINNOVATION_PROJECT": str(self.folder / "project"),
            "SMALL_PROJECT_RUNS": str(self.folder / "runs"),
        }

    def start(self, **more: str) -> subprocess.Popen:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "python_steps", "build", "--target", "spark"),
                *("--papers", f"tables={self.folder}/papers.csv"),
                *("--warehouse", str(self.warehouse), "--publication", str(self.publication)),
            ],
            env=self.environment() | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def build(self, **more: str) -> tuple[int, str, str]:
        process = self.start(**more)
        said, complained = process.communicate(timeout=300)
        return process.returncode, said, complained


def place_in(folder: Path) -> Place:
    for name, content in ON_SPARK.items():
        (folder / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "project" / name).write_text(unindented(content))
    (folder / "papers.csv").write_text("id,title\n2,Second\n1,First\n3,\n")
    return Place(folder)


@dataclass
class Story:
    """What was seen of a build that failed, was then killed, and then left to end."""

    place: Place
    failed: tuple[int, str, str]
    finished_before: set[str]
    ended: tuple[int, str, str]
    lines_of_the_last: list[dict]


@pytest.fixture(scope="module")
def story(spark_is_possible: None, tmp_path_factory: pytest.TempPathFactory) -> Story:
    place = place_in(tmp_path_factory.mktemp("small"))
    (place.folder / "fail").touch()
    failed = place.build()
    (place.folder / "fail").unlink()
    (place.folder / "runs").unlink()
    (place.folder / "hold").touch()
    killed = place.start()
    wait_until((place.folder / "runs").exists, 120)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    (place.folder / "hold").unlink()
    before, lines = place.finished(), len(place.journal())
    time.sleep(2)  # until the driver has seen that its process is gone
    return Story(place, failed, before, place.build(), place.journal()[lines:])


def test_of_a_worker_that_fails_the_exception_alone_is_told(story):
    code, said, complained = story.failed
    assert code == errors.FAILED, said + complained
    assert "Failed: intermediate.int_papers_counted" in said
    assert "ValueError: told to fail" in said
    assert "Traceback" not in said and "org.apache" not in said
    assert "spark.log" in said


def test_spark_says_nothing_on_the_screen(story):
    assert [story.failed[2], story.ended[2]] == ["", ""]


def test_a_killed_build_goes_on_and_skips_what_is_finished(story):
    code, said, complained = story.ended
    assert code == 0, said + complained
    assert "Continuing the last build: 1 of" in said
    assert story.finished_before == {"stg_papers"}
    again = {line["node"].split(".")[2] for line in story.lines_of_the_last if "node" in line}
    assert again == {"int_papers_counted", "papers", "unique_papers_id", "build_summary", "Papers"}
    published = (story.place.publication / "Papers.csv").read_text()
    assert published == "id,title\n1,First\n2,Second\n3,\n"


def test_rows_are_counted_of_tables_and_the_summary_is_shown(story):
    said = story.ended[1]
    (line,) = [line for line in said.splitlines() if "✓" in line and "marts.papers" in line]
    assert "3 rows" in line
    assert "paper records read" in said and re.search("paper records read.* 3 ", said)


def test_a_repeated_build_needs_no_spark(story):
    code, said, complained = story.place.build(JAVA_HOME="/nowhere")
    assert (code, complained) == (0, "")
    assert "Nothing changed since" in said and "paper records read" in said


def test_the_folder_is_asked_without_spark(story):
    asked = ("query", "--warehouse", str(story.place.warehouse))
    shown = CliRunner().invoke(main.main, [*asked, "from papers order by id", "--format", "csv"])
    assert shown.output == "id,title\n1,First\n2,Second\n3,\n"
    missing = CliRunner().invoke(main.main, [*asked, "from publication.Papers"])
    assert missing.exit_code == 2
    assert "of marts: build_summary, papers." in missing.output
    assert "Views" in missing.output


def test_a_table_that_is_gone_is_made_again_with_what_builds_on_it(story, monkeypatch):
    copy = story.place.folder / "copy.spark"
    shutil.copytree(story.place.warehouse, copy)
    settings = Settings(
        project=story.place.folder / "project",
        warehouse=copy,
        publication=story.place.publication,
        target="spark",
    )
    journal = Journal(copy.with_suffix(".journal"), {})
    for line in story.place.journal():
        journal._take(line)
    assert lost_files(journal, settings) == set()
    shutil.rmtree(copy / "marts.db/papers")
    assert lost_files(journal, settings) == {"model.small.papers"}
    # Where nobody can look, the journal is trusted.
    monkeypatch.setenv("DEEPINNOVATION_SPARK_CATALOG", "thrift://127.0.0.1:1")
    assert lost_files(journal, settings) == set()


def test_a_folder_that_something_else_changed_is_not_trusted(story):
    tables = places.tables_of(story.place.warehouse, "spark", {})
    before = tables.state()
    assert before == story.place.journal()[-1]["warehouse"]
    stranger = story.place.warehouse / "marts.db/papers/part-1.parquet"
    stranger.touch()
    try:
        assert tables.state() != before
    finally:
        stranger.unlink()
    assert tables.state() == before


# ---------------------------------------------------------------- refused before it starts


def build_here(place: Place) -> None:
    """Build in this process, which holds no session."""
    settings = Settings(
        project=place.folder / "project",
        warehouse=place.warehouse,
        publication=place.publication,
        sources=(source_of(project_folder(), "papers", "tables", (f"{place.folder}/papers.csv",)),),
        target="spark",
    )
    building_build.build(settings, BuildReporter(Console(quiet=True)))


@pytest.fixture
def place(spark_is_possible: None, tmp_path: Path) -> Place:
    return place_in(tmp_path)


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("SPARK_REMOTE", "sc://127.0.0.1:1"),
        ("SPARK_MASTER", "spark://127.0.0.1:1,127.0.0.1:2"),
        ("SPARK_CATALOG", "thrift://127.0.0.1:1"),
    ],
)
def test_an_address_where_nobody_answers_is_told_at_once(place, monkeypatch, variable, address):
    monkeypatch.setenv(f"DEEPINNOVATION_{variable}", address)
    started = time.monotonic()
    with pytest.raises(BuildError, match="Connection refused") as caught:
        build_here(place)
    assert time.monotonic() - started < 60
    assert address in str(caught.value) and f"DEEPINNOVATION_{variable}" in str(caught.value)


@pytest.mark.parametrize("version", [None, "11.0.2", "1.8.0_392"])
def test_java_that_is_missing_or_too_old_is_told_with_the_remedy(place, monkeypatch, version):
    java = place.folder / "java/bin/java"
    java.parent.mkdir(parents=True)
    if version:
        java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
        java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(java.parent.parent))
    with pytest.raises(BuildError, match="JAVA_HOME") as caught:
        build_here(place)
    assert caught.value.exit_code == errors.WRONG_USAGE
    assert "Install Java 17 or newer" in str(caught.value)


def test_a_package_that_is_not_installed_is_told_with_its_extra(place, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("dbt.adapters.spark")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "dbt.adapters.spark", None)  # as if it were not there
    with pytest.raises(BuildError) as caught:
        build_here(place)
    assert caught.value.exit_code == errors.WRONG_USAGE
    assert errors.install_command("spark") in str(caught.value)


@pytest.mark.parametrize(
    ("has_spark", "package"),
    [(False, "[spark-connect]'"), (True, "'pyspark[connect]'")],
)
def test_for_spark_connect_the_client_is_named(monkeypatch, has_spark, package):
    monkeypatch.setenv("DEEPINNOVATION_SPARK_REMOTE", "sc://host:15002")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: has_spark or None)
    assert failures.explain_missing("grpc").endswith(package)
    assert "pip install" in failures.explain_missing("grpc")


def test_a_second_warehouse_in_one_process_is_refused(spark, tmp_path):
    from dbt.adapters.sparksession import SparkSessionCredentials

    other = SparkSessionCredentials(master="local[1,1]", warehouse=str(tmp_path / "other"))
    with pytest.raises(BuildError, match="in a process of its own"):
        building_spark.start(other, tmp_path / "spark.log")
    same = spark.conf.get("spark.sql.warehouse.dir").removeprefix("file:")
    first = SparkSessionCredentials(master="local[1,1]", warehouse=same)
    assert building_spark.start(first, tmp_path / "spark.log") == tmp_path / "spark.log"
