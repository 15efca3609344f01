"""Claims about the command line: what it accepts, what it says, and its exit codes."""

import gzip
import json
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from python_steps.command_line import build, evaluate, main, options

WORK = {
    "id": "https://openalex.org/W1",
    "title": "A title",
    "publication_year": 2020,
    "abstract_inverted_index": {"Word": [0]},
}
PATENT = {
    "publication_number": "US-9824690-B2",
    "title_localized": [{"text": "A title", "language": "en"}],
    "filing_date": 20200102,
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main.main, [str(argument) for argument in arguments])


@pytest.fixture
def works(tmp_path: Path) -> Path:
    folder = tmp_path / "works"
    folder.mkdir()
    (folder / "part_000.gz").write_bytes(gzip.compress(json.dumps(WORK).encode() + b"\n"))
    return folder


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema marts; create schema reference; create schema staging")
        connection.execute(
            "create table marts.papers as select 'W' || i as document_id, i as place, "
            "[i, i + 1] as list, case when i > 1 then 'a, \"b\"' end as text from range(3) as r(i)"
        )
        connection.execute("create table reference.offices as select 'US' as code")
        connection.execute("create table staging.hidden as select 1 as one")
    return file


# ---------------------------------------------------------------- help


def test_help_shows_the_workflow_in_three_lines():
    shown = run("--help")
    assert shown.exit_code == 0
    steps = [line.split()[:3] for line in shown.output.splitlines() if line[2:4] in "1. 2. 3."]
    commands = [step[2] for step in steps if len(step) == 3 and step[1] == "deepinnovation"]
    assert commands == ["check", "build", "query"]


@pytest.mark.parametrize(
    "command", [*main.SUMMARIES, *(f"evaluate {name}" for name in evaluate.SUMMARIES)]
)
def test_every_command_teaches_by_an_example(command):
    shown = run(*command.split(), "--help")
    assert shown.exit_code == 0
    assert "\n  For example:\n" in shown.output
    assert f"\n    deepinnovation {command} " in shown.output


@pytest.mark.parametrize("command", sorted({*main.SUMMARIES} - {"evaluate"}))
def test_an_example_keeps_its_lines_on_a_narrow_screen(command):
    wide, narrow = (
        CliRunner().invoke(main.main, [command, "--help"], terminal_width=width).output
        for width in (200, 40)
    )
    lines = [line for line in wide.splitlines() if line.startswith("    deepinnovation ")]
    assert lines and set(lines) <= set(narrow.splitlines())


def test_help_lists_every_command_that_has_a_module():
    folder = Path(main.__file__).parent
    modules = {
        file.stem for file in folder.glob("*.py") if f"def {file.stem}_command(" in file.read_text()
    }
    assert modules | {"evaluate"} == {*main.SUMMARIES}
    assert {file.stem for file in folder.glob("evaluate/[!_]*.py")} == {*evaluate.SUMMARIES}


def test_version_is_that_of_the_package():
    shown = run("--version")
    assert shown.exit_code == 0 and shown.output.startswith("deepinnovation")


def test_help_waits_for_no_heavy_package():
    code = (
        "import sys, python_steps.command_line.main; "
        "heavy = {'dbt', 'duckdb', 'matplotlib', 'openai', 'peft', 'pyarrow', 'pydantic'}; "
        "heavy |= {'torch', 'python_steps.command_line.build', 'python_steps.warehouse.places'}; "
        "assert not heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------- wrong usage


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["build", "--papers", "scopus=x"], "one of openalex, tables"),
        (["build", "--patents", "patstat=x"], "one of google_patents, tables"),
        (["build", "--papers", "x.csv"], "must be SYSTEM=PATH"),
        (["build", "--papers", "openalex="], "must be SYSTEM=PATH"),
        (["build", "--vars", "{top_kk: 5}"], "Did you mean top_k?"),
        (["build", "--vars", "top_k"], "must be like"),
        (["build", "--vars", "{top_k: [}"], "is not valid YAML"),
        (["build", "--threads", "0"], "not in the range"),
        (["build", "--target", "oracle"], "'duckdb', 'spark'"),
        (["build", "--warehouse", "."], "is a folder, but a DuckDB warehouse is a file"),
        (["build", "--warehouse", "s3a://b/w"], "is on other storage"),
        (["build", "--target", "spark", "--warehouse", __file__], "is a DuckDB file"),
        (["build", "--target", "spark", "--warehouse", "new.duckdb"], "warehouse.spark"),
        (["query"], "Missing argument"),
        (["query", "select 1", "--format", "parquet"], "--output FILE"),
        (["query", "select 1", "--output", "x.txt"], "--format csv"),
    ],
)
def test_wrong_usage_ends_with_2_and_names_what_is_right(arguments, says):
    shown = run(*arguments)
    assert shown.exit_code == 2
    assert says in " ".join(shown.output.split())
    assert "Traceback" not in shown.output


def test_without_a_project_the_remedy_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPINNOVATION_PROJECT", str(tmp_path))
    shown = run("build")
    assert shown.exit_code == 2 and "DEEPINNOVATION_PROJECT" in shown.output


@pytest.mark.parametrize("command", ["build", "check"])
def test_a_path_that_does_not_exist_ends_with_3(tmp_path, command):
    shown = run(
        *(command, "--papers", f"openalex={tmp_path}/nowhere"),
        *("--warehouse", tmp_path / "w.duckdb"),
    )
    assert shown.exit_code == 3
    assert f"{tmp_path}/nowhere (papers openalex) does not exist" in shown.output
    assert "Traceback" not in shown.output
    assert not (tmp_path / "w.duckdb").exists()


def test_debug_shows_the_traceback(tmp_path):
    shown = run("check", "--papers", f"openalex={tmp_path}/nowhere", "--debug")
    assert shown.exit_code == 1 and shown.exc_info[0].__name__ == "InputError"


def test_a_folder_in_a_variable_is_found_from_where_the_command_is_typed(tmp_path, monkeypatch):
    (tmp_path / "encoders/mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    convert = options.VARIABLES.convert
    given = convert("{embedding_model: encoders/mine, top_k: 5}", None, None)
    assert given == {"embedding_model": str(tmp_path / "encoders/mine"), "top_k": 5}
    assert convert("{embedding_model: a-name}", None, None) == {"embedding_model": "a-name"}
    assert convert("{top_k: 5}", None, None) == {"top_k": 5}


# ---------------------------------------------------------------- check


def test_check_tells_what_a_build_would_find(works, tmp_path):
    patents = tmp_path / "patents.jsonl"
    patents.write_text(json.dumps(PATENT) + "\n" + "{broken\n")
    shown = run(
        *("check", "--papers", f"openalex={works}", "--patents", f"google_patents={patents}"),
        *("--warehouse", tmp_path / "w.duckdb"),
    )
    assert shown.exit_code == 0, shown.output
    for told in (
        "1 JSON lines (gzip)",
        "with an abstract",
        "2020 to 2020",
        "50% malformed record",
        "line 2 of",
        "The warehouse will take very roughly",
    ):
        assert told in " ".join(shown.output.split())
    assert not (tmp_path / "w.duckdb").exists()


def test_check_without_options_reads_the_bundled_sample():
    shown = run("check")
    assert shown.exit_code == 0, shown.output
    assert "papers openalex" in shown.output and "patents google_patents" in shown.output


@pytest.mark.parametrize(
    ("entity", "records", "rejected"),
    [
        # Staging accepts an identifier of any form where there is no publication number.
        ("patents tables", [{"id": "own-1", "title": "A", "year": 2020}], []),
        ("patents tables", [{"publication_number": "x", "title": "A", "year": "NaN"}], []),
        (
            "patents google_patents",
            [
                PATENT
                | {"title_localized": [{"text": "", "language": "de"}, *PATENT["title_localized"]]},
                PATENT | {"title_localized": [{"text": "<b></b>", "language": "en"}]},
            ],
            ["50% missing title"],
        ),
    ],
)
def test_check_refuses_what_staging_refuses(tmp_path, entity, records, rejected):
    file = tmp_path / "records.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    kind, system = entity.split()
    shown = run("check", f"--{kind}", f"{system}={file}")
    (line,) = [line for line in shown.output.splitlines() if "would be rejected" in line]
    assert [part.strip() for part in line.split("│")[2].split(",")] == rejected or ["none"]


def test_check_ends_with_3_when_required_fields_are_missing(tmp_path):
    (tmp_path / "papers.csv").write_text("titel,id\nA,1\n")
    shown = run("check", "--papers", f"tables={tmp_path}/papers.csv")
    assert shown.exit_code == 3
    assert "Missing: title, which is required" in shown.output
    assert "A build would fail on papers tables" in shown.output


def test_check_ends_with_3_when_a_file_cannot_be_read(works):
    (works / "part_001.gz").write_bytes(b"no gzip")
    shown = run("check", "--papers", f"openalex={works}")
    assert shown.exit_code == 3
    assert "part_001.gz is not a gzip file" in " ".join(shown.output.split())


def test_check_says_what_it_does_not_look_into(works):
    shown = run("check", "--papers", f"openalex={works}", "--papers", "tables=s3a://bucket/papers")
    assert shown.exit_code == 0, shown.output
    assert "Skipped: s3a://bucket/papers (papers tables) is on other" in shown.output
    assert "papers openalex" in shown.output


# ---------------------------------------------------------------- query


def test_tables_of_marts_and_reference_need_no_prefix(warehouse):
    shown = run("query", "select * from papers, offices limit 1", "--warehouse", warehouse)
    assert shown.exit_code == 0, shown.output
    assert "document_id" in shown.output and "US" in shown.output


def test_rows_come_as_csv(warehouse):
    sql = "select document_id, text from papers order by 1"
    shown = run("query", sql, "--warehouse", warehouse, "--format", "csv")
    assert shown.output == 'document_id,text\nW0,\nW1,\nW2,"a, ""b"""\n'


def test_rows_come_as_json_one_object_a_line(warehouse):
    sql = "select place, list from papers order by 1"
    shown = run("query", sql, "--warehouse", warehouse, "--format", "json", "--limit", "2")
    rows = [json.loads(line) for line in shown.output.splitlines()]
    assert rows == [{"place": 0, "list": [0, 1]}, {"place": 1, "list": [1, 2]}]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_rows_go_to_a_file(warehouse, tmp_path, form):
    file = tmp_path / f"papers.{form}"
    shown = run(
        "query", "from papers", "--warehouse", warehouse, "--format", form, "--output", file
    )
    assert (shown.exit_code, shown.output) == (0, "")
    assert duckdb.sql(f"select count(*) from '{file}'").fetchall() == [(3,)]


def test_the_ending_of_the_output_names_its_format(warehouse, tmp_path):
    file = tmp_path / "papers.parquet"
    shown = run("query", "from papers", "--warehouse", warehouse, "--output", file)
    assert shown.exit_code == 0, shown.output
    assert duckdb.sql(f"select count(*) from '{file}'").fetchall() == [(3,)]


def test_lists_in_csv_are_json(warehouse):
    sql = "select ['a', 'b\"'] as words"
    shown = run("query", sql, "--warehouse", warehouse, "--format", "csv")
    assert shown.output == 'words\n"[""a"",""b\\""""]"\n'


def test_a_limit_shows_as_many_rows_on_the_screen(warehouse):
    shown = run("query", "from range(100)", "--warehouse", warehouse, "--limit", "60")
    assert "59" in shown.output and "--format csv prints all" not in shown.output


def test_a_wide_row_is_shown_as_a_record_with_long_values_cut(warehouse):
    names = [f"column_{place}" for place in range(30)]
    words = " ".join(f"word{place}" for place in range(200))
    columns = ", ".join(f"'value {name}' as {name}" for name in names)
    sql = f"select {columns}, '{words}' as long, null as empty from range(2)"
    shown = run("query", sql, "--warehouse", warehouse)
    lines = shown.output.splitlines()
    assert [line for line in lines if line.startswith("row ")] == ["row 1", "row 2"]
    for name in names:
        assert sum(line.split(maxsplit=1) == [name, f"value {name}"] for line in lines) == 2
    assert shown.output.count("word0 ") == 2 and "word199" not in shown.output
    assert "Long values are cut (…); --format json prints them in full." in shown.output


def test_a_table_that_fits_is_shown_whole(warehouse):
    words = " ".join(f"word{place}" for place in range(60))
    shown = run("query", f"select 1 as one, '{words}' as long", "--warehouse", warehouse)
    assert "word59" in shown.output and "row 1" not in shown.output
    assert "cut" not in shown.output


def test_no_rows_are_a_header_only(warehouse):
    sql = "select place from papers where false"
    shown = run("query", sql, "--warehouse", warehouse, "--format", "csv")
    assert (shown.exit_code, shown.output) == (0, "place\n")


def test_a_long_table_says_that_it_is_cut(warehouse):
    shown = run("query", "select * from range(100)", "--warehouse", warehouse)
    assert "39" in shown.output and "--format csv prints all" in shown.output


def test_a_missing_table_is_answered_with_those_there_are(warehouse):
    shown = run("query", "select * from paperz", "--warehouse", warehouse)
    assert shown.exit_code == 2
    assert "paperz" in shown.output
    assert "Tables of marts: papers; of reference: offices." in shown.output
    assert "Other schemas: staging" in shown.output


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("selec 1", "Parser Error"),
        ("select nonsense from papers", "nonsense"),
        ("drop table papers", "One query"),
        ("copy papers to 'papers.csv'", "One query"),
        ("select 1; select 2", "One query"),
        ("attach 'other.duckdb'", "One query"),
        ("select cast(document_id as integer) from papers", "Could not convert"),
    ],
)
@pytest.mark.parametrize("form", ["table", "csv"])
def test_an_error_of_sql_ends_with_2_in_one_line(warehouse, sql, says, form):
    shown = run("query", sql, "--warehouse", warehouse, "--format", form)
    assert shown.exit_code == 2
    assert says in shown.output
    assert len(shown.output.strip().splitlines()) <= 2  # a header may stand before it
    assert "Traceback" not in shown.output


@pytest.mark.parametrize("name", ["--warehouse", "DEEPINNOVATION_SPARK_REMOTE"])
def test_of_a_warehouse_elsewhere_it_is_told_how_to_ask_it(monkeypatch, tmp_path, name):
    place = "s3a://bucket/warehouse"
    if name.startswith("DEEP"):
        place = tmp_path / "none"
        monkeypatch.setenv(name, "sc://host:15002")
    shown = run("query", "from papers", "--warehouse", place)
    assert shown.exit_code == 3 and "spark-sql" in shown.output


def test_a_reader_that_stops_early_does_no_harm(warehouse):
    sql = "select range from range(3000000)"
    command = [
        sys.executable,
        "-c",
        "from python_steps.command_line.main import main; main()",
        "query",
        sql,
    ]
    with subprocess.Popen(
        [*command, "--warehouse", str(warehouse), "--format", "csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"range\n"
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
        process.wait(timeout=30)


# ---------------------------------------------------------------- after a build


@pytest.mark.parametrize("folder", ["plain", "with a blank"])
def test_the_next_commands_run_from_where_they_are_printed(tmp_path, monkeypatch, folder):
    here = tmp_path / folder
    here.mkdir()
    monkeypatch.chdir(here)
    project = options.project_folder()
    settings = build.Settings(project, here / "my warehouse.duckdb", here / "out put")
    commands = [shlex.split(command) for command, _ in build.next_commands(settings)]
    query = next(words for words in commands if "query" in words)
    assert query[query.index("--warehouse") + 1] == "my warehouse.duckdb"
    docs = next(words for words in commands if "docs" in words)
    assert docs[0] == f"DEEPINNOVATION_WAREHOUSE={settings.warehouse}"
    assert (here / docs[docs.index("-C") + 1] / "Makefile").exists()
    again = next(words for words in commands if "build" in words)
    assert again[again.index("--publication") + 1] == "out put"
    command = main.main.get_command(None, "query")
    parsed = command.make_context("query", query[query.index("query") + 1 :])
    assert parsed.params["sql"] == "select title, year from papers"


def test_the_next_commands_name_no_option_that_is_the_default(monkeypatch):
    project = options.project_folder()
    monkeypatch.chdir(project)
    settings = build.Settings(project, project / "warehouse.duckdb", project / "publication")
    commands = [command for command, _ in build.next_commands(settings)]
    assert "make docs" in commands
    assert not any("--warehouse" in command or "-C" in command for command in commands)
