"""Claims about running dbt: what is run again and what is not, killed builds, failures in words.

The project here is a small one of the same shape as ours; dbt and DuckDB are the real ones.
"""

import bz2
import gzip
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from python_steps import errors
from python_steps.building import build as building_build
from python_steps.building.fingerprint import fingerprint, step_files
from python_steps.building.journal import Journal
from python_steps.building.settings import Outcome, Settings
from python_steps.command_line.console import BuildReporter
from python_steps.command_line.options import project_folder
from python_steps.errors import UNREADABLE, BuildError
from python_steps.sources.systems import source_of

PROJECT = {
    "dbt_project.yml": """
        name: small
        version: "1.0"
        profile: small
        flags: {send_anonymous_usage_stats: false, require_generic_test_arguments_property: true}
        vars: {floor: 0.5, encoder: none}
        models:
          small:
            staging: {+materialized: view, +schema: staging}
            intermediate: {+materialized: table, +schema: intermediate}
            marts: {+materialized: table, +schema: marts}
            publication: {+materialized: view, +schema: publication}
    """,
    "profiles.yml": """
        small:
          target: duckdb
          outputs:
            duckdb:
              type: duckdb
              path: "{{ env_var('DEEPINNOVATION_WAREHOUSE') }}"
              threads: 1
              keep_open: false
    """,
    "macros/generate_schema_name.sql": """
        {% macro generate_schema_name(custom_schema_name, node) -%}
            {{ custom_schema_name or target.schema }}
        {%- endmacro %}
    """,
    "seeds/offices.csv": """
        code,name
        US,United States
    """,
    "models/staging/stg_papers.sql": """
        select * from read_csv('{{ env_var("DEEPINNOVATION_PAPERS_TABLES") }}', all_varchar = true)
    """,
    # The node tells that it runs, then waits for as long as a test holds it, or fails if told to.
    "models/intermediate/int_papers_counted.py": """
        from pathlib import Path

        import os
        import time


        def model(dbt, session):
            place = Path(os.environ["SMALL_PROJECT_RUNS"])
            with place.open("a") as runs:
                runs.write("int_papers_counted\\n")
            while place.with_name("hold").exists():
                time.sleep(0.05)
            if place.with_name("fail").exists():
                raise ValueError("told to fail")
            return dbt.ref("stg_papers").order("id")
    """,
    "models/marts/papers.sql": """
        select * from {{ ref('int_papers_counted') }}
    """,
    "models/marts/papers.yml": """
        models:
          - name: papers
            columns:
              - name: id
                data_tests: [unique, not_null]
              - name: title
                data_tests: [{not_null: {config: {severity: warn}}}]
        # A build leaves it out: it would fail.
        unit_tests:
          - name: papers_keep_every_row
            model: papers
            given: [{input: ref('int_papers_counted'), rows: [{id: '1'}]}]
            expect: {rows: [{id: '2'}]}
    """,
    "models/marts/matching_audit.sql": """
        select {{ var('floor') }} as recall from {{ ref('papers') }}
    """,
    "models/marts/matching_audit.yml": """
        models:
          - name: matching_audit
            columns:
              - name: recall
                data_tests: [{accepted_values: {arguments: {values: [0.5], quote: false}}}]
    """,
    "models/marts/build_summary.sql": """
        select 1 as place, 'paper records read' as measure, cast(count(*) as double) as figure
        from {{ ref('papers') }}
    """,
    "models/staging/small/_small__sources.yml": """
        sources:
          - name: tables
            tables:
              - name: papers
                config:
                  meta:
                    entity: papers
                    variable: DEEPINNOVATION_PAPERS_TABLES
                    record_files: '[.]csv$'
                    ignored_files: '/[.]'
    """,
    "models/publication/Papers.sql": """
        {{ config(post_hook="copy (select * from {{ this }}) to
            '{{ env_var('DEEPINNOVATION_PUBLICATION') }}/Papers.csv' (format csv, header)") }}
        -- depends_on: {{ ref('matching_audit') }}
        select * from {{ ref('papers') }} order by id
    """,
}

DELIVERED = "id,title\n2,Second\n1,First\n3,\n"
EVERY_RELATION = 7
EVERY_NODE = EVERY_RELATION + 4


def unindented(text: str) -> str:
    lines = text.strip("\n").splitlines()
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[margin:] for line in lines).rstrip() + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the project: one for all tests, each of which finds it as new."""
    return tmp_path_factory.mktemp("small") / "folder"


@pytest.fixture
def project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return write_project(folder, monkeypatch)


def write_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the project and its table of papers into an emptied folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in PROJECT.items():
        (folder / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "project" / name).write_text(unindented(content))
    (folder / "papers.csv").write_text(DELIVERED)
    monkeypatch.setenv("SMALL_PROJECT_RUNS", str(folder / "runs"))
    return folder / "project"


@pytest.fixture
def is_full_refresh() -> bool:
    """Whether builds compute everything anew; tests may set it."""
    return False


@pytest.fixture
def settings(project: Path, is_full_refresh: bool) -> Settings:
    return settings_of(project, is_full_refresh=is_full_refresh)


def settings_of(project: Path, *, is_full_refresh: bool = False) -> Settings:
    return Settings(
        project=project,
        warehouse=project.with_name("made") / "warehouse.duckdb",
        publication=project.with_name("made") / "publication",
        sources=(
            source_of(
                project_folder(), "papers", "tables", (str(project.with_name("papers.csv")),)
            ),
        ),
        is_full_refresh=is_full_refresh,
    )


@dataclass(frozen=True)
class FirstBuild:
    """What a first build of the project returned and left behind."""

    outcome: Outcome
    said: str
    published: dict[str, str]
    folder: Path


@pytest.fixture(scope="module")
def first_build(folder: Path) -> FirstBuild:
    """Build once, and keep a copy of the folder."""
    with pytest.MonkeyPatch.context() as patched:
        settings = settings_of(write_project(folder, patched))
        outcome, said = build(settings)
        kept = shutil.copytree(folder, folder.with_name("first"))
        return FirstBuild(outcome, said, published(settings), kept)


@pytest.fixture
def built(first_build: FirstBuild, settings: Settings, folder: Path) -> FirstBuild:
    """Put everything as a first build leaves it."""
    shutil.rmtree(folder)
    shutil.copytree(first_build.folder, folder)
    return first_build


def build(settings: Settings) -> tuple[Outcome, str]:
    """Build, and return what was said besides."""
    said = io.StringIO()
    outcome = building_build.build(settings, BuildReporter(Console(file=said, width=160)))
    return outcome, said.getvalue()


def lines_of(settings: Settings) -> list[dict]:
    return [json.loads(line) for line in settings.beside(".journal.jsonl").read_text().splitlines()]


def runs_since(settings: Settings, lines_before: int = 0) -> Counter[str]:
    """How often each node was finished, by its name without the project's."""
    nodes = [line["node"] for line in lines_of(settings)[lines_before:] if "node" in line]
    return Counter(node.split(".")[2] for node in nodes)


def published(settings: Settings) -> dict[str, str]:
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in settings.publication.iterdir()
    }


# ---------------------------------------------------------------- what is run again


def test_a_build_runs_everything_and_a_repeated_one_nothing(settings, monkeypatch, built):
    outcome, said = built.outcome, built.said
    assert outcome.exit_code == 0 and outcome.unchanged_since is None, said
    assert sum(runs_since(settings).values()) == EVERY_NODE
    assert "marts.papers" in said and "3 rows" in said and "tests passed" in said
    assert (settings.publication / "Papers.csv").read_text().splitlines()[1:] == [
        "1,First",
        "2,Second",
        "3,",
    ]
    assert outcome.warnings and "not_null_papers_title" in outcome.warnings[0]
    lines_before, before = lines_of(settings), published(settings)
    monkeypatch.setattr(building_build, "_run", None)  # to run anything would fail
    again, _ = build(settings)
    assert again.exit_code == 0 and again.unchanged_since
    assert again.warnings == outcome.warnings
    assert (lines_of(settings), published(settings)) == (lines_before, before)


def test_an_unchanged_build_imports_neither_dbt_nor_torch(settings, project, built):
    code = (
        "import sys; from python_steps.command_line.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert not {'dbt', 'torch', 'pyarrow'} & set(sys.modules), 'imported'"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments(settings)],
        env=os.environ | {"DEEPINNOVATION_PROJECT": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "Nothing changed since" in run.stdout
    assert "paper records read" in run.stdout


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("source files", lambda s: Path(s.sources[0].locations[0]).write_text("id,title\n9,N\n")),
        (
            "project files",
            lambda s: (s.project / "seeds/offices.csv").write_text("code,name\nDE,G\n"),
        ),
    ],
)
def test_whatever_decides_the_result_makes_everything_run(settings, part, change, built):
    change(settings)
    _, said = build(settings)
    assert f"Changed since the last build: {part}." in said
    assert sum(runs_since(settings).values()) == EVERY_NODE


def keep_a_shard(settings: Settings) -> Path:
    """Leave what a killed build leaves of a node that computes shard by shard."""
    shard = settings.beside(".checkpoints") / "0.shard.arrow"
    shard.parent.mkdir()
    shard.touch()
    return shard


def change_code(settings: Settings) -> Settings:
    model = settings.project / "models/marts/papers.sql"
    model.write_text(f"-- another\n{model.read_text()}")
    return settings


def change_records(settings: Settings) -> Settings:
    Path(settings.sources[0].locations[0]).write_text("id,title\n9,N\n")
    return settings


@pytest.mark.parametrize(
    ("change", "are_kept"),
    [
        (change_code, False),
        (change_records, True),
        (lambda settings: replace(settings, variables={"encoder": "another"}), True),
    ],
)
def test_shards_that_other_code_computed_are_dropped_and_others_kept(
    settings, change, are_kept, built
):
    shard = keep_a_shard(settings)
    build(replace(change(settings), select="stg_papers"))
    assert shard.exists() == are_kept


def test_shards_of_other_package_versions_are_dropped(settings, monkeypatch, built):
    shard = keep_a_shard(settings)
    monkeypatch.setattr(
        "python_steps.building.fingerprint.package_version", lambda package: "another"
    )
    build(replace(settings, select="stg_papers"))
    assert not shard.exists()


def test_shards_without_a_journal_are_dropped(settings):
    settings.warehouse.parent.mkdir()
    shard = keep_a_shard(settings)
    build(replace(settings, select="stg_papers"))
    assert not shard.exists()


def test_a_new_year_makes_everything_run(settings, built):
    path = settings.beside(".journal.jsonl")
    first, *rest = path.read_text().splitlines(keepends=True)
    line = json.loads(first)
    line["fingerprint"]["the year"] = "1999"
    path.write_text("".join([json.dumps(line) + "\n", *rest]))
    _, said = build(settings)
    assert "Changed since the last build: the year." in said


def test_a_folder_that_a_variable_names_counts_by_its_files(settings, tmp_path):
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    (settings.project / "mine").mkdir()
    for value, folder in ((str(encoder), encoder), ("mine", settings.project / "mine")):
        named = replace(settings, variables={"encoder": value})
        build(named)
        assert build(named)[0].unchanged_since
        (folder / "model.safetensors").write_text("weights")
        assert "Changed since the last build: settings." in build(named)[1]


def test_other_variables_make_everything_run(settings, built):
    _, said = build(replace(settings, variables={"encoder": "another"}))
    assert "settings" in said


def test_a_selection_that_matches_nothing_is_wrong_usage(settings, built):
    before = lines_of(settings)
    with pytest.raises(BuildError, match="No model or test matches --select 'nowhere'"):
        build(replace(settings, select="nowhere"))
    assert lines_of(settings) == before


def test_what_novelty_learned_outlives_a_full_refresh(settings, built):
    state = settings.novelty_states / "paper_content_2012_0.safetensors"
    state.parent.mkdir()
    state.touch()
    build(replace(settings, is_full_refresh=True))
    assert state.exists()


@pytest.mark.parametrize(
    ("variables", "checkpoints", "states"),
    [
        ({}, "/w/a.duckdb.checkpoints", "/w/a.duckdb.novelty"),
        ({"CHECKPOINTS": "/s"}, "/s/a.duckdb.checkpoints", "/s/a.duckdb.novelty"),
        ({"NOVELTY_STATES": "/n"}, "/w/a.duckdb.checkpoints", "/n/a.duckdb.novelty"),
        (
            {"CHECKPOINTS": "/s", "NOVELTY_STATES": "/n"},
            "/s/a.duckdb.checkpoints",
            "/n/a.duckdb.novelty",
        ),
    ],
)
def test_what_steps_keep_lies_beside_the_warehouse_or_in_folders_that_machines_share(
    variables, checkpoints, states, monkeypatch
):
    for name in ("CHECKPOINTS", "NOVELTY_STATES"):
        monkeypatch.setenv(f"DEEPINNOVATION_{name}", variables.get(name, ""))
    settings = Settings(Path("/project"), Path("/w/a.duckdb"), Path("/publication"))
    assert settings.checkpoints == Path(checkpoints)
    assert settings.novelty_states == Path(states)


def test_a_full_refresh_makes_everything_run_and_drops_checkpoints(settings, built):
    shard = keep_a_shard(settings)
    for _ in range(2):  # asked for again, it begins anew
        outcome, _ = build(replace(settings, is_full_refresh=True))
        assert outcome.unchanged_since is None
        assert sum(runs_since(settings).values()) == EVERY_NODE
        assert not shard.parent.exists()
    assert build(settings)[0].unchanged_since


def test_a_full_refresh_that_was_stopped_goes_on_when_asked_for_again(settings, built):
    refresh = replace(settings, is_full_refresh=True)
    Path(os.environ["SMALL_PROJECT_RUNS"]).with_name("fail").touch()
    outcome, said = build(refresh)
    assert outcome.exit_code == errors.FAILED
    assert "the same command continues from here" in said
    Path(os.environ["SMALL_PROJECT_RUNS"]).with_name("fail").unlink()
    shard, lines = keep_a_shard(settings), len(lines_of(settings))
    outcome, said = build(refresh)
    assert outcome.exit_code == 0 and "Continuing the last build" in said
    assert "stg_papers" not in runs_since(settings, lines)
    assert "papers" in runs_since(settings, lines)
    assert not shard.exists()  # of a complete build none are kept
    assert not Journal.read(settings.beside(".journal.jsonl")).is_full_refresh


def test_a_full_refresh_of_a_selection_that_ended_begins_anew(settings, built):
    refresh = replace(settings, is_full_refresh=True, select="stg_papers")
    build(refresh)
    shard = keep_a_shard(settings)
    build(refresh)
    assert not shard.exists()


@pytest.mark.parametrize("harm", ["removed", "changed"])
def test_a_published_file_that_was_touched_is_written_again(settings, harm, built):
    before, lines = published(settings), len(lines_of(settings))
    file = settings.publication / "Papers.csv"
    file.unlink() if harm == "removed" else file.write_text("id,title\n1,Forged\n")
    outcome, _ = build(settings)
    assert outcome.unchanged_since is None
    assert runs_since(settings, lines) == {"Papers": 1}
    assert published(settings) == before


def test_a_published_file_with_another_time_but_the_same_bytes_is_kept(settings, built):
    os.utime(settings.publication / "Papers.csv")
    assert build(settings)[0].unchanged_since


def test_a_warehouse_that_something_else_changed_is_not_trusted(settings, built):
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("create or replace table marts.papers as select 'forged' as id")
    _, said = build(settings)
    assert "the warehouse (by another program)" in said
    assert sum(runs_since(settings).values()) == EVERY_NODE


def test_a_warehouse_that_is_gone_is_made_again(settings, built):
    settings.warehouse.unlink()
    build(settings)
    assert settings.warehouse.exists()
    assert sum(runs_since(settings).values()) == EVERY_NODE
    assert published(settings) == built.published


def test_another_publication_folder_is_filled_without_building_the_rest(settings, tmp_path, built):
    lines = len(lines_of(settings))
    elsewhere = replace(settings, publication=tmp_path / "elsewhere")
    build(elsewhere)
    assert runs_since(settings, lines) == {"Papers": 1}
    assert published(elsewhere) == published(settings)


def test_selected_nodes_run_and_what_is_made_from_them_counts_as_unfinished(settings, built):
    lines = len(lines_of(settings))
    build(replace(settings, select="papers"))
    assert set(runs_since(settings, lines)) == {
        "papers",
        "unique_papers_id",
        "not_null_papers_id",
        "not_null_papers_title",
    }
    lines = len(lines_of(settings))
    outcome, said = build(settings)
    assert outcome.exit_code == 0 and "Continuing the last build" in said
    assert {"Papers", "matching_audit", "build_summary"} <= set(runs_since(settings, lines))
    assert not {"papers", "int_papers_counted"} & set(runs_since(settings, lines))
    assert build(settings)[0].unchanged_since


def test_a_node_selected_before_its_parents_were_built_is_built_after_them_again(settings, built):
    Path(settings.sources[0].locations[0]).write_text("id,title\n9,Ninth\n")
    build(replace(settings, select="papers"))  # from the old parents
    build(settings)
    assert (settings.publication / "Papers.csv").read_text() == "id,title\n9,Ninth\n"


# ---------------------------------------------------------------- killed


def arguments(settings: Settings) -> list[str]:
    """Return what to type for a build with these settings."""
    return [
        "build",
        *("--papers", f"tables={settings.sources[0].locations[0]}"),
        *("--warehouse", str(settings.warehouse), "--publication", str(settings.publication)),
        *(["--full-refresh"] if settings.is_full_refresh else []),
    ]


def wait_until(is_so, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def started(settings: Settings) -> Iterator[subprocess.Popen]:
    """Return a build in a process of its own, held in its Python node."""
    hold = Path(os.environ["SMALL_PROJECT_RUNS"]).with_name("hold")
    hold.touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "python_steps", *arguments(settings)],
        env=os.environ | {"DEEPINNOVATION_PROJECT": str(settings.project)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()
    hold.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("moment", "is_full_refresh"),
    [("int_papers_counted", False), ("papers", False), ("papers", True), ("Papers", False)],
)
def test_a_killed_build_goes_on_and_publishes_the_same_bytes(
    settings, started, moment, first_build
):
    journal = settings.beside(".journal.jsonl")
    runs = Path(os.environ["SMALL_PROJECT_RUNS"])
    wait_until(runs.exists)
    if moment != "int_papers_counted":
        runs.with_name("hold").unlink()
        wait_until(lambda: f'"model.small.{moment}", "status"' in journal.read_text())
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    runs.with_name("hold").unlink(missing_ok=True)
    finished = set(Journal.read(journal).finished)
    assert "model.small.stg_papers" in finished
    assert ("model.small.int_papers_counted" in finished) == (moment != "int_papers_counted")
    lines = len(lines_of(settings))
    outcome, _ = build(settings)
    assert outcome.exit_code == 0
    rerun = {line["node"] for line in lines_of(settings)[lines:] if "node" in line}
    assert not rerun & finished
    assert len(rerun | finished) == EVERY_NODE
    assert published(settings) == first_build.published


def test_an_interrupted_build_ends_in_a_sentence_and_goes_on(settings, started):
    runs = Path(os.environ["SMALL_PROJECT_RUNS"])
    wait_until(runs.exists)
    started.send_signal(signal.SIGINT)
    time.sleep(0.5)
    runs.with_name("hold").unlink()
    _, said = started.communicate(timeout=30)
    assert started.returncode == errors.STOPPED
    assert said.strip() == "Error: Stopped. The same command continues from here."
    assert build(settings)[0].exit_code == 0


def test_two_builds_of_one_warehouse_do_not_run_at_once(settings, started):
    wait_until(Path(os.environ["SMALL_PROJECT_RUNS"]).exists)
    with pytest.raises(BuildError, match="Another build is writing to"):
        build(settings)


def test_half_a_line_in_the_journal_does_no_harm(settings, built):
    path = settings.beside(".journal.jsonl")
    whole = path.read_text().splitlines(keepends=True)
    path.write_text("".join(whole[:4]) + whole[4][:20])
    outcome, _ = build(settings)
    assert outcome.exit_code == 0
    assert Journal.read(path).is_complete


def test_what_a_killed_copy_left_behind_is_cleared(settings):
    settings.publication.mkdir(parents=True)
    (settings.publication / "tmp_Papers.csv").write_text("half")
    (settings.publication / "tmp_other.csv").write_text("not ours")
    build(settings)
    assert set(published(settings)) == {"Papers.csv", "tmp_other.csv"}


# ---------------------------------------------------------------- failures


def test_a_failed_test_names_its_claim_and_stops_what_builds_on_it(settings):
    Path(settings.sources[0].locations[0]).write_text("id,title\n1,First\n1,Again\n")
    outcome, said = build(settings)
    assert outcome.exit_code == errors.FAILED
    assert "unique_papers_id: 1 row breaks it in papers" in said
    assert "were skipped" in said and str(outcome.log) in said
    assert not (settings.publication / "Papers.csv").exists()
    lines = len(lines_of(settings))
    build(settings)
    assert "int_papers_counted" not in runs_since(settings, lines)


def test_quality_below_its_floor_has_an_exit_code_of_its_own(settings):
    outcome, said = build(replace(settings, variables={"floor": 0.4}))
    assert outcome.exit_code == errors.BELOW_FLOOR
    assert "matching_audit" in said
    assert not (settings.publication / "Papers.csv").exists()


def test_a_node_that_fails_is_named_with_the_message_of_its_error(settings):
    (settings.project / "models/marts/papers.sql").write_text("select nonsense\n")
    (settings.project / "models/marts/papers.yml").unlink()
    outcome, said = build(settings)
    assert outcome.exit_code == errors.FAILED
    assert "marts.papers" in said and "nonsense" in said
    assert outcome.log.exists() and outcome.log.stat().st_size


def test_of_a_python_node_that_fails_the_exception_alone_is_told(settings):
    Path(os.environ["SMALL_PROJECT_RUNS"]).with_name("fail").touch()
    _, said = build(settings)
    assert "ValueError: told to fail" in said
    assert "Traceback" not in said and "raise ValueError" not in said


def test_a_variable_that_a_macro_refuses_is_wrong_usage(settings):
    (settings.project / "macros/check.sql").write_text(
        "{% macro check() %}{{ exceptions.raise_compiler_error('The variable `floor` is 2; set "
        "it to 1.') }}{% endmacro %}"
    )
    with (settings.project / "dbt_project.yml").open("a") as file:
        file.write("on-run-start: ['{{ check() }}']\n")
    with pytest.raises(BuildError) as caught:
        build(settings)
    assert caught.value.exit_code == errors.WRONG_USAGE
    assert str(caught.value) == "The variable `floor` is 2; set it to 1."


def test_a_file_that_would_be_misread_is_refused_before_anything_runs(settings):
    file = Path(settings.sources[0].locations[0])
    file.write_bytes("id,title\n1,Café\n".encode("latin-1"))
    with pytest.raises(errors.InputError, match=r"papers\.csv is not UTF-8.*iconv -f latin1"):
        build(settings)
    file.write_text("id,title\n1,Paper\n")
    assert build(settings)[0].exit_code == 0


def test_a_packed_file_beside_those_that_are_read_is_refused(settings):
    file = Path(settings.sources[0].locations[0])
    folder = file.parent / "delivered"
    folder.mkdir()
    file.replace(folder / file.name)
    (folder / "more.csv.bz2").write_bytes(bz2.compress(b"id,title\n2,Paper\n"))
    sources = (source_of(project_folder(), "papers", "tables", (str(folder),)),)
    with pytest.raises(errors.InputError, match=r"more\.csv\.bz2 is packed with bzip2.*bunzip2"):
        build(replace(settings, sources=sources))


def test_what_is_odd_about_delivered_files_is_told_before_and_after(settings):
    file = Path(settings.sources[0].locations[0])
    (file.parent / "papers_z.csv").write_text("")
    sources = (source_of(project_folder(), "papers", "tables", (f"{file.parent}/papers*.csv",)),)
    outcome, said = build(replace(settings, sources=sources))
    assert "Note: " in said and "papers_z.csv is empty" in said
    assert "papers_z.csv is empty" in outcome.warnings[0]


def test_a_file_that_only_the_reader_finds_wrong_is_told_with_the_remedy(settings):
    rows = "".join(f"{number},A title of some length\n" for number in range(5000))
    file = Path(settings.sources[0].locations[0])
    file.write_bytes(f"id,title\n{rows}x,Café\n".encode("latin-1"))
    outcome, said = build(settings)
    assert outcome.exit_code == errors.UNREADABLE
    assert "is not UTF-8" in said and "iconv -f latin1" in said
    assert "Possible Solution" not in said


def test_input_that_cannot_be_read_has_an_exit_code_of_its_own(settings):
    rows = "".join(f"{number},{number**7}\n" for number in range(20_000))
    packed = Path(settings.sources[0].locations[0]).with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(f"id,title\n{rows}".encode())[:-2000])
    sources = (source_of(project_folder(), "papers", "tables", (str(packed),)),)
    outcome, said = build(replace(settings, sources=sources))
    assert outcome.exit_code == errors.UNREADABLE
    assert "is a gzip file that was cut" in said and str(packed) in said
    assert "deepinnovation check" in said


def test_a_project_that_cannot_be_parsed_is_told_with_its_file(settings):
    (settings.project / "models/marts/papers.sql").write_text("select {{ ref('nowhere') }}\n")
    with pytest.raises(BuildError, match="nowhere"):
        build(settings)


def test_a_warehouse_open_elsewhere_is_told_with_the_process(settings, built):
    code = (
        f"import duckdb, time; connection = duckdb.connect({str(settings.warehouse)!r}); "
        "print('open', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        before = lines_of(settings)
        try:
            with pytest.raises(BuildError, match=f"open in process {other.pid}"):
                build(replace(settings, is_full_refresh=True))
        finally:
            other.kill()
    assert lines_of(settings) == before
    assert build(settings)[0].unchanged_since


def test_a_file_that_is_no_warehouse_is_told(settings):
    settings.warehouse.parent.mkdir(parents=True)
    settings.warehouse.write_text("text" * 10_000)
    with pytest.raises(BuildError, match="not a warehouse that this DuckDB can read") as said:
        build(settings)
    assert said.value.exit_code == UNREADABLE


def test_the_environment_is_as_before_after_a_build(settings):
    before = dict(os.environ)
    here = Path.cwd()
    build(settings)
    assert (dict(os.environ), Path.cwd()) == (before, here)


def test_what_is_said_of_spark_changes_nothing_on_duckdb(settings, monkeypatch, built):
    for name in ("MASTER", "REMOTE", "CATALOG", "FORMAT"):
        monkeypatch.setenv(f"DEEPINNOVATION_SPARK_{name}", "another")
    assert build(settings)[0].unchanged_since


def test_where_spark_computes_is_no_part_of_what_it_makes(project):
    made = {
        master: fingerprint(project, [], {}, "spark", {"DEEPINNOVATION_SPARK_MASTER": master})
        for master in ("local[1,4]", "spark://host:7077")
    }
    assert made["local[1,4]"] == made["spark://host:7077"]
    form = fingerprint(project, [], {}, "spark", {"DEEPINNOVATION_SPARK_FORMAT": "delta"})
    assert form["settings"] != made["local[1,4]"]["settings"]


def test_steps_decide_a_fingerprint_and_the_command_line_does_not():
    packages = {path.parent.name for path in step_files()}
    assert {"similarity", "ai_decision", "novelty", "engine", "sources"} <= packages
    assert not packages & {"command_line", "evaluate", "building", "warehouse"}


def test_files_that_only_spark_can_list_make_a_finished_build_run_again(settings):
    elsewhere = source_of(project_folder(), "patents", "tables", ("s3a://bucket/patents",))
    settings = replace(settings, sources=(*settings.sources, elsewhere))
    build(settings)
    lines = len(lines_of(settings))
    _, said = build(settings)
    assert "Changed since the last build: possibly files on other storage" in said
    assert sum(runs_since(settings).values()) == EVERY_NODE
    assert lines == len(lines_of(settings))
    Path(os.environ["SMALL_PROJECT_RUNS"]).with_name("fail").touch()
    build(settings)
    Path(os.environ["SMALL_PROJECT_RUNS"]).with_name("fail").unlink()
    assert "Continuing the last build" in build(settings)[1]
