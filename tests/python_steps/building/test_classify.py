"""Claims about `deepinnovation classify` before anything is decided: what it takes and refuses."""

import json
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from click.testing import CliRunner, Result

from python_steps.ai_decision.folders import PACKAGED_FOLDER
from python_steps.building import classify
from python_steps.building.classify import Request
from python_steps.command_line import main, options
from python_steps.errors import BuildError

PAPER = {"id": "1", "title": "A title", "abstract": "Words.", "doi": "10.1/x"}
PATENT = {"id": "1", "title": "A title", "abstract": "Words.", "ipc": ["G06N 3/08"]}
EITHER = {"id": "1", "title": "A title", "abstract": "Words.", "year": 2020}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main.main, ["classify", *map(str, arguments)])


def prepared(location: Path, output: Path, **more: object) -> tuple:
    """Return what would be built, the head and the entity."""
    request = Request(options.project_folder(), str(location), output, **more)
    return classify.prepare(request, str(location))


def written(path: Path, *records: dict) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


# ---------------------------------------------------------------- papers or patents


@pytest.mark.parametrize(
    ("record", "entity"),
    [(PAPER, "papers"), (PATENT, "patents"), (EITHER | {"publication_number": "EP1"}, "patents")],
)
def test_columns_tell_papers_from_patents(tmp_path, record, entity):
    table = written(tmp_path / "t.jsonl", record)
    settings, head, told = prepared(table, tmp_path / "out" / "d.csv")
    assert told == entity and head.rows == 1
    assert [source.entity for source in settings.sources] == [entity]


def test_of_columns_of_both_kinds_those_with_values_tell(tmp_path):
    table = written(tmp_path / "t.jsonl", PATENT | {"doi": None, "venue": None})
    assert prepared(table, tmp_path / "d.csv")[2] == "patents"


@pytest.mark.parametrize("record", [EITHER, PAPER | PATENT])
def test_where_columns_do_not_tell_the_option_is_named_and_helps(tmp_path, record):
    table = written(tmp_path / "t.jsonl", record)
    shown = run(table, "--output", tmp_path / "d.csv")
    assert shown.exit_code == 2 and "--document-type" in shown.output
    assert prepared(table, tmp_path / "d.csv", document_type="patent")[2] == "patents"


def test_large_tables_are_judged_in_more_and_smaller_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(classify, "RECORDS_PER_SHARD", 2)
    table = written(tmp_path / "t.jsonl", *[PAPER] * 33)
    assert prepared(table, tmp_path / "d.csv")[0].variables == {"shards": 256}
    table = written(tmp_path / "t.jsonl", *[PAPER] * 32)
    assert prepared(table, tmp_path / "d.csv")[0].variables == {}


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("ending", ["txt", "json", "csv.gz"])
def test_an_ending_that_names_no_format_is_refused(tmp_path, ending):
    shown = run(written(tmp_path / "t.jsonl", PAPER), "--output", tmp_path / f"d.{ending}")
    assert shown.exit_code == 2 and ".csv, .jsonl, .parquet" in shown.output


def test_output_that_is_or_would_become_input_is_refused(tmp_path):
    table = written(tmp_path / "t.jsonl", PAPER)
    for location, output in (
        (table, table),
        (tmp_path, tmp_path / "d.csv"),
        (tmp_path, tmp_path / "below" / "d.csv"),
        (f"{tmp_path}/*", tmp_path / "d.csv"),
        (f"{tmp_path}/*.jsonl", tmp_path / "d.jsonl"),
        (f"{tmp_path}/**/*.jsonl", tmp_path / "d.csv"),
    ):
        shown = run(location, "--output", output)
        assert shown.exit_code == 2 and "part of the input" in shown.output
    assert list(tmp_path.iterdir()) == [table]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.jsonl", '{"id": "1", "name": "A"}\n', "has no column title"),
        ("t.jsonl", '{"title": "A", "doi": "x"}\n', "has no column id"),
        ("t.jsonl", "no record\n", "No record in"),
        ("t.jsonl", '[{"id": "1"}]\n', "JSON array"),
        ("t.parquet", "no Parquet", "is not a Parquet file"),
        ("t.csv", 'id,title,doi\n1,"A,x\n', "a quote in it is never closed"),
    ],
)
def test_input_without_records_is_refused_with_the_reason(tmp_path, name, content, says):
    (tmp_path / name).write_text(content, encoding="utf-8")
    older = tmp_path / "d.csv"
    older.write_text("older", encoding="utf-8")
    shown = run(tmp_path / name, "--output", older, "--document-type", "paper")
    assert shown.exit_code == 3, shown.output
    assert says in shown.output and str(tmp_path / name) in shown.output
    assert "Traceback" not in shown.output
    assert older.read_text(encoding="utf-8") == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "d.csv"])


def test_input_that_is_not_there_is_refused(tmp_path):
    for location in (tmp_path / "nowhere.csv", f"{tmp_path}/*.csv"):
        shown = run(location, "--output", tmp_path / "d.csv")
        assert shown.exit_code == 3 and f"{location} does not exist" in shown.output
    (tmp_path / "empty").mkdir()
    shown = run(tmp_path / "empty", "--output", tmp_path / "d.csv")
    assert shown.exit_code == 3 and "contains no readable file" in shown.output


def test_an_output_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    table = written(tmp_path / "t.jsonl", PAPER)
    shown = run(table, "--output", tmp_path / "file" / "d.csv")
    assert shown.exit_code == 1 and "cannot be created" in shown.output


def test_classifiers_of_another_type_of_document_are_refused(tmp_path):
    table = written(tmp_path / "t.jsonl", PAPER)
    mine = tmp_path / "mine"
    mine.mkdir()
    shown = run(table, "--output", tmp_path / "d.csv", "--classifiers", mine)
    assert shown.exit_code == 2 and "holds no classifier" in shown.output
    (mine / "outer").symlink_to(PACKAGED_FOLDER / "outer_patent")
    kinds = json.loads((mine / "outer/classifier.json").read_text())["document_types"]
    if "paper" not in kinds:
        with pytest.raises(BuildError, match="has no classifier for papers, only of patents"):
            prepared(table, tmp_path / "d.csv", classifiers=mine)
    settings = prepared(
        table, tmp_path / "d.csv", classifiers=mine, document_type="patent", precision="f32"
    )[0]
    assert settings.variables == {"classifiers": str(mine), "precision": "f32"}


# ---------------------------------------------------------------- what is written


@pytest.mark.parametrize(
    ("record", "names", "says"),
    [
        (PAPER, ["a", "a", "a", "b"], "2 records share an id, DOI or title with another one and "
         "have its decision."),
        (PAPER, ["a", "a", None, None], "1 record shares an id, DOI or title with another one and "
         "has its decision."),
        (PATENT, ["a", "b", "b"], "1 record shares a publication number or id with another one and "
         "has its decision."),
        (PAPER, ["a", "b", None, None], None),
    ],
)  # fmt: skip
def test_records_with_the_decision_of_another_are_counted(
    tmp_path, monkeypatch, record, names, says
):
    entity = "patents" if record is PATENT else "papers"

    def build(settings, _):
        with duckdb.connect(str(settings.warehouse)) as connection:
            connection.execute("create schema staging; create schema marts")
            connection.execute(
                "create table names as select unnest($names) as name, unnest(range(len($names))) "
                "as row",
                {"names": names},
            )
            connection.execute(f"create table staging.stg_tables__{entity} as from names")
            connection.execute(
                "create table marts.record_decisions as select $document_type as document_type, "
                "'x' as source_name, name as source_record_id, 'f' as record_file, "
                "row as record_row, name as document_id, name is not null as is_ai, "
                ".9 as outer_probability, .9 as inner_probability, 'inner' as decided_by, "
                "if(name is null, 'rejected: missing_title', 'r') as decision_reason, "
                "'m' as model_version from names",
                {"document_type": entity.removesuffix("s")},
            )
        return SimpleNamespace(exit_code=0)

    monkeypatch.setattr("python_steps.building.build.build", build)
    table = written(tmp_path / "t.jsonl", *[record] * len(names))
    shown = run(table, "--output", tmp_path / "d.jsonl")
    assert shown.exit_code == 0, shown.output
    told = shown.output.splitlines()
    assert told[1].startswith(f"{len(names)} {entity}: ")
    assert told[2:] == ([says] if says else [])
    assert run(table, "--output", tmp_path / "q.jsonl", "--quiet").output == ""


def test_an_output_with_fewer_rows_than_records_is_never_put_in_place(tmp_path):
    table = written(tmp_path / "t.jsonl", PAPER)
    output = tmp_path / "d.csv"
    settings, _, entity = prepared(table, output)
    settings.warehouse.parent.mkdir()
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute("create schema staging; create schema marts")
        connection.execute("create table staging.stg_tables__papers as from range(2)")
        connection.execute(
            "create table marts.record_decisions as select 'paper' as document_type, 'x' as "
            "source_name, '1' as source_record_id, 'f' as record_file, 1 as record_row, 'x:1' "
            "as document_id, true as is_ai, .9 as outer_probability, .9 as inner_probability, "
            "'inner' as decided_by, 'r' as decision_reason, 'm' as model_version"
        )
    request = Request(options.project_folder(), str(table), output)
    with pytest.raises(BuildError, match="2 records were read and 1 decided"):
        classify.write_decisions(request, settings, entity)
    assert not output.exists() and settings.warehouse.exists()
