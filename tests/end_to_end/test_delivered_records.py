"""Claims about reading delivered files: the same records, numbers and refusals on both engines.

Every case is a folder of small files and a model of a small project that reads it by the project's
own macros: one run of dbt for each engine.
"""

import gzip
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from python_steps.command_line import options
from python_steps.sources.systems import deliveries

MISSING = [
    what
    for what, is_there in {
        "pyspark": importlib.util.find_spec("pyspark"),
        "dbt-spark": importlib.util.find_spec("dbt.adapters.spark"),
        "Java": shutil.which("java") or os.environ.get("JAVA_HOME"),
    }.items()
    if not is_there
]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed")

PROFILES = """
    small:
      outputs:
        duckdb: {type: duckdb, path: "{{ env_var('SMALL_WAREHOUSE') }}", threads: 1}
        spark:
          type: sparksession
          threads: 1
          master: local[2]
          warehouse: "{{ env_var('SMALL_WAREHOUSE') }}"
          memory: 1GB
          # Pieces so small that files of a test are split, and small files share a task.
          server_side_parameters:
            spark.sql.files.maxPartitionBytes: "65536"
            spark.sql.files.openCostInBytes: "64"
"""

PROJECT = """
    name: small
    version: "1.0"
    profile: small
    flags: {send_anonymous_usage_stats: false}
    models: {+materialized: table, +file_format: parquet}
"""


def table(**columns: list) -> bytes:
    """Return a Parquet file of small row groups."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, row_group_size=1000, compression="none")
    return sink.getvalue().to_pybytes()


def text(content: str) -> bytes:
    return content.encode()


@dataclass(frozen=True)
class Case:
    """Delivered files, the locations they are read from, and the records or words of an error."""

    files: dict[str, bytes]
    expected: int | str
    locations: tuple[str, ...] = ("",)
    texts: dict[str, list[str]] = field(default_factory=dict)  # of some files


def lines_of(name: str, count: int) -> bytes:
    """Return so many records, each followed by a blank line."""
    return text("".join(f'{{"file": "{name}", "row": {n}}}\n\n' for n in range(count)))


CASES = {
    "lines": Case(
        {
            "plain.jsonl": b'{"a":1}\n{"a": 2}',
            "part_000": b"never read, for its twin is there",
            "part_000.gz": gzip.compress(b'{"a":1}\n') + gzip.compress(b'\n{"a":2}'),
            "updated_date=2025-01-01/part_000": b'{"a":1}\n',
            "marks.ndjson": b'\xef\xbb\xbf{"a":1}\n\xef\xbb\xbf{"a":2}\n',
            "ends.jsonl": b'{"a":1}\r\n\r\n{"a":2}\n{"a":3}\n',
            "returns.jsonl": b'{"a":1}\r{"a":2}\r\r{"a":3}\n{"a":"4\r5"}',
            "no_ends.jsonl": text('{"a":"\u2028\u0085\x0b\x0c"}'),
            "blank.jsonl": b'\n\n{"a":1}\n \n\t\n  {"a":2}  \n\n',
            "nothing.jsonl": b"\n\n",
            "odd.jsonl": b'"\n{"a":"\x00"}\n{"a":"b\x01c"}\n\\N\nNULL\n#\n\'\n',
            **{
                f"ü +%41 #&'^\"/{n}.jsonl": text(n)
                for n in ["a,b", "c{d,e}", "f [1]", "%20", "k=l"]
            },
            "manifest.json": b"{}",
            "_delta_log/0.json": b"{}",
            ".hidden/a.jsonl": b"{}",
            "._part_000.gz": b"no gzip",
            "README.md": b"{}",
        },
        31,
        texts={
            "marks.ndjson": ['{"a":1}', '\ufeff{"a":2}'],
            "ends.jsonl": ['{"a":1}', '{"a":2}', '{"a":3}'],
            "returns.jsonl": ['{"a":1}', '{"a":2}', '{"a":3}', '{"a":"4', '5"}'],
            "blank.jsonl": ['{"a":1}', "\t", '  {"a":2}  '],
        },
    ),
    "pieces": Case(
        {
            "large.jsonl": text("\r\n".join("ü" * (n % 97) for n in range(20_000))),
            "larger.jsonl": text("\n".join("ü" * (n % 97) for n in range(30_000))),
            **{f"{n % 7}/{n}.jsonl": lines_of(f"{n}", n % 4) for n in range(200)},
            **{f"{n % 7}/{n}.jsonl.gz": gzip.compress(lines_of(f"z{n}", n % 4)) for n in range(99)},
        },
        49_783,
    ),
    "locations": Case(
        {
            **{f"file/{name}": b"1" for name in ["a.jsonl", "b.jsonl", "records.txt"]},
            **{f"signs/{name}": b"2" for name in ["a/x.jsonl", "b/x.jsonl", "b/y.jsonl", "cc/x"]},
            **{f"folders/{name}": b"3" for name in ["a1/x.jsonl", "b1/c/x.jsonl", "d/x.jsonl"]},
            **{f"depth/{name}": b"4" for name in ["a/x.jsonl", "a/b/c/x.jsonl", "a/b/y.jsonl"]},
        },
        8,
        (
            "file/records.txt",
            "file/b.jsonl",
            "signs/?/x*",
            "folders/[b-c]*",
            "depth/**/x.jsonl",
            "file/b.jsonl",
            "folders/d/",
        ),
    ),
    "documents": Case(
        {
            "array.json": text('[{"a": 1, "b": [1.5, -2]},\n {"c": "ü\\u00e4\\n"}, null, {}, []]'),
            "results.json": text('\ufeff{"meta": {}, "results": [{"id": 1}, {"id": 2}]}'),
            "object.json": b'{\n  "id": 1,\n "results": {"id": 2}\n}\n',
            "lines.json": b'{"a": 1}\n\n{"a": 2}\r\n  \n{"a": 3}',
            "empty.json": b"[]",
            "null.json": b"null",
            "cut.json": b'[{"a": 1},\n{"a": 2',
            "trailing.json": b'[{"a": 1}] x',
            "quotes.json": b"{'a': 1}",
            "number.json": b'{"a": NaN}',
            "control.json": b'{"a": "\t"}',
            "two.json": b'{"a":1},{"a":2}',
            "half.json": rb'[{"a":"\ud83d \ud83d\ude00 \\ud83d"},{"a":"\x\u12"},{"a":"b\u0000"}]',
            "half_of_lines.json": b'{"a":"\\ud83d"}\n{"a":1}\n',
            "nul.json": b'{"results":[{"a":"b\x00"},{"a":1}]}',
            "page.html.json": b"<html>\n<body>\n</body>\n</html>\n",
            "error.json": b'{"error": "too many requests",\n "message": "wait"}',
            "packed.json.gz": gzip.compress(b'{"meta": {},\n "results": [\n{"id": 1}, {"id": 2}]}'),
            "packed_array.json.gz": gzip.compress(b'\xef\xbb\xbf[{"id": 1}]'),
            "packed_lines.json.gz": gzip.compress(b'{"id": 1}\n{"id": 2}\n\n{"id": 3}\n'),
        },
        32,
        texts={
            "cut.json": ['[{"a": 1},\n{"a": 2'],
            "half_of_lines.json": [r'{"a":"\ud83d"}', '{"a":1}'],
            "nul.json": ['{"a":"b\x00"}', '{"a":1}'],
            "packed_lines.json.gz": ['{"id": 1}', '{"id": 2}', '{"id": 3}'],
            "object.json": ['{\n  "id": 1,\n "results": {"id": 2}\n}\n'],
        },
    ),
    "parquet": Case(
        {
            "a.parquet": table(
                id=["W1", "W2", None],
                year=pa.array([2019, None, 2021], pa.int32()),
                score=[2019.0, 0.1, None],
                half=pa.array([0.1, 1.5, None], pa.float32()),
                price=[Decimal("12.50"), Decimal("-0.05"), None],
                is_open=[True, False, None],
                day=[date(2019, 5, 1), None, date(1790, 1, 1)],
                at=[datetime(2019, 5, 1, 12, 30), datetime(2019, 5, 1, 0, 0, 0, 1500), None],
                authors=[[{"name": "Ü", "ids": [1, None]}, {"name": None, "ids": None}], [], None],
                place=[{"name": "x", "office": None}, {"name": None, "office": "y"}, None],
                counts=pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
                bytes=[b"W1", b"", None],
            ),
            "b.parquet": table(ID=["W4"], title=['t\n"\\/\u2028'], Year=[2020.0], half=["0.5"]),
            "c.parquet": table(id=pa.array([], pa.string())),
        },
        4,
    ),
    "row_groups": Case({f"{n}.parquet": table(n=list(range(n, 20_000))) for n in range(3)}, 59_997),
    "csv": Case(
        {
            "a.csv": b'id,title,y\n1,"a,b",2\n2,"x\n\ny",\n3,"",""\n4,,5\n5,"say ""hi"" \\",6\n',
            "b.csv": text('\ufeffid,title,y\r\n1,5" disk,2\r\n\r\n2, b ,\\N\r\n3,"""c""",NULL'),
            "c.csv.gz": gzip.compress(text('Title,"new ""one""",ID\nü,#,9\n')),
            "d.csv": b"id,,x,x,\n1,2,3,4,\n",
            "e.csv": b"id,title,y\n",
            "f.csv": b"id,title,y\r1,a,2\r2,b,3\r",
            "g.csv": b"id\n1\n2\n",
        },
        14,
    ),
    "separators": Case(
        {
            "comma.csv": b'id,title,y\n1,"a;b;c;d",2\n',
            "tab.csv": b'id\ttitle\ty\n1\t"a\tb"\t2\n2\t5" disk\t\n',
            "tab.tsv": b"id\ttitle\ty\n1\ta, b\t2\n",
            "tab.tsv.gz": gzip.compress(b"id\ttitle\ty\n1\ta\t2\n"),
            "semicolon.csv": text('\ufeff"id";"title";"y"\n1;"a"";""b";2\n2;c, d, e, f;\n'),
            "bar.csv": b"id|title|y\n1|a;b|2\n",
        },
        7,  # tab.tsv has a twin
    ),
    "brackets": Case(
        {
            "works [a]/x.jsonl": b"1",
            "works a/x.jsonl": b"2",
            "a*b/x [1].json": b"3",
            "aab/x 1.json": b"4",
            "who?/q[a-z].csv": b"id\n5\n",
            "whom/qa.csv": b"id\n6\n",
            "{a,b}/x.jsonl": b"7",
        },
        4,
        ("works [a]", "a*b/x [1].json", "who?/", "{a,b}"),
    ),
    "containers": Case(
        {
            "a.jsonl": b"{}",
            **{
                f"works{ending}": b"x\n" * 9
                for ending in [".tar.gz", ".jsonl.bz2", ".csv.xz", ".xml.gz", ".xlsx", ".zip"]
            },
        },
        1,
    ),
    "container": Case({"a.tar.gz": b"x"}, "a.tar.gz cannot be read", ("a.tar.gz",)),
    "mixed": Case(
        {
            "a.jsonl": b'{"a":1}\n{"a":2}\n',
            "b.json": b'[{"a":3}]',
            "c.parquet": table(a=[4]),
            "d.csv": b"a\n5\n",
            "E.JSONL.GZ": gzip.compress(b'{"a":6}\n{"a":7}\n'),
            "F.JSON.GZ": gzip.compress(b'[{"a":8},\n{"a":9}]'),
            "G.PARQUET": table(a=[10]),
            "H.CSV.GZ": gzip.compress(b"a\n11\n"),
            "I.CSV": b"a\n12\n",
            "I.CSV.GZ": gzip.compress(b"a\n12\n"),
        },
        12,
    ),
    "no_records": Case({"a.jsonl": b"\n\n", "b.csv": b"id\n", "c.json": b"[]"}, 0),
    # ---------------------------------------------------------------- refused
    "nothing_there": Case({}, "No file of tables papers at .*nowhere", ("nowhere",)),
    "nothing_matches": Case({"a.jsonl": b"{}"}, "No file of tables papers at .*csv", ("*.csv",)),
    "nothing_readable": Case({"a.txt": b"{}"}, "No file of tables papers at .*readable"),
    "other_encoding": Case({"a.jsonl": '{"a":1}\n{"a":"ä"}\n'.encode("latin-1")}, "utf-8"),
    "other_encoding_of_json": Case({"a.json": '["ä"]'.encode("latin-1")}, "(?i)json' .*utf-8"),
    "other_encoding_of_csv": Case({"a.csv": "id,title\n1,ä\n".encode("latin-1")}, "utf-8"),
    "more_fields": Case({"a.csv": b"id,title,y\n1,a,2\n2,b,3,4\n"}, "more_fields/a.csv"),
    "fewer_fields": Case(
        {f"{n}.csv": b"id,title\n1,a\n" + (b"2\n" if n == 7 else b"") for n in range(12)},
        "fewer_fields/7.csv",
    ),
    "open_quote": Case({"a.csv": b'id,y\n1,a\n2,"b\n4,c\n'}, "open_quote/a.csv"),
    "two_open_quotes": Case({"a.csv": b'id,y\n1,a\n2,"b\n4,"c\n'}, "open_quotes/a.csv"),
    "early_quote": Case({"a.csv": b'id,title,y\n1,"a"b,2\n2,b,3\n'}, "early_quote/a.csv"),
}

TABLE = deliveries(options.project_folder())["papers", "tables"].table
RULES = {name: getattr(TABLE, name) for name in ("record_files", "ignored_files", "unread_files")}


@dataclass(frozen=True)
class Reading:
    """What an engine made of all cases."""

    records: Callable[[str], list[tuple[str, int, str]]]
    errors: dict[str, str]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(options.project_folder() / "macros", folder / "macros")
    (folder / "dbt_project.yml").write_text(textwrap.dedent(PROJECT))
    (folder / "profiles.yml").write_text(textwrap.dedent(PROFILES))
    (folder / "models").mkdir()
    for name, case in CASES.items():
        place = folder / "delivered" / name
        place.mkdir(parents=True)
        for file, content in case.files.items():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_bytes(content)
        locations = [f"{place}/{location}" for location in case.locations]
        (folder / f"models/{name}.sql").write_text(
            "{% if execute %}{{ read_records(delivered_files('tables papers', "
            f"{RULES}, {locations})) }}}}{{% else %}} select 1 {{% endif %}}"
        )
    return folder


def read(project: Path, target: str, warehouse: Path, schema: str) -> Reading:
    """Run dbt in a process of its own, where Spark's session ends with it."""
    run = subprocess.run(
        [
            *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", "run"),
            *("--target", target, "--project-dir", project, "--profiles-dir", project),
            *("--target-path", warehouse.with_suffix(".target"), "--log-path", warehouse.parent),
        ],
        env={**os.environ, "SMALL_WAREHOUSE": str(warehouse)},
        capture_output=True,
        text=True,
        check=False,
    )
    results = warehouse.with_suffix(".target") / "run_results.json"
    assert results.exists(), run.stdout + run.stderr
    errors = {
        result["unique_id"].split(".")[-1]: result["message"]
        for result in json.loads(results.read_text())["results"]
        if result["status"] != "success"
    }

    def records(name: str) -> list[tuple[str, int, str]]:
        assert name not in errors, errors[name]
        with duckdb.connect(str(warehouse) if target == "duckdb" else ":memory:") as connection:
            return connection.execute(
                f"select record_file, record_row, record_text from {schema.format(name)} "
                "order by record_file, record_row"
            ).fetchall()

    return Reading(records, errors)


@pytest.fixture(scope="module")
def on_duckdb(project, tmp_path_factory) -> Reading:
    return read(project, "duckdb", tmp_path_factory.mktemp("duckdb") / "warehouse", "{}")


@pytest.fixture(scope="module")
def on_spark(project, tmp_path_factory) -> Reading:
    warehouse = tmp_path_factory.mktemp("spark") / "warehouse"
    return read(project, "spark", warehouse, f"read_parquet('{warehouse}/{{}}/*.parquet')")


@pytest.mark.parametrize("name", [n for n, case in CASES.items() if isinstance(case.expected, int)])
def test_both_engines_give_the_same_records(name, project, on_duckdb, on_spark):
    case = CASES[name]
    ours, theirs = on_duckdb.records(name), on_spark.records(name)
    assert [record[:2] for record in theirs] == [record[:2] for record in ours]
    assert [value(record[2]) for record in theirs] == [value(record[2]) for record in ours]
    assert len(ours) == case.expected
    for file, texts in case.texts.items():
        assert [record[2] for record in theirs if record[0].endswith(f"/{file}")] == texts


def value(record: str) -> object:
    """Return what JSON text says; other text as it is."""
    try:
        return json.loads(record)
    except json.JSONDecodeError:
        return record


@pytest.mark.parametrize("name", ["lines", "pieces", "csv", "mixed"])
def test_records_are_the_same_to_the_letter_where_both_engines_leave_them_alone(
    name, on_duckdb, on_spark
):
    assert on_spark.records(name) == on_duckdb.records(name)


@pytest.mark.parametrize("name", [n for n, case in CASES.items() if isinstance(case.expected, str)])
def test_both_engines_refuse_the_same_files(name, on_duckdb, on_spark):
    for reading in (on_duckdb, on_spark):
        assert re.search(CASES[name].expected, reading.errors[name]), reading.errors[name]
