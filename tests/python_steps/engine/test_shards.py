"""The loop over shards: order, schema, memory of finished shards."""

import os
import subprocess
import sys

import duckdb
import pyarrow as pa
import pytest

from python_steps.engine import checkpoints, progress, relations, shards

SCHEMA = pa.schema([("document_id", pa.string()), ("length", pa.int32())])


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        yield opened


def relation(connection, rows):
    connection.execute("create or replace table texts (shard varchar, document_id varchar)")
    if rows:
        connection.executemany("insert into texts values (?, ?)", rows)
    return connection.table("texts")


def length(table):
    ids = table.column("document_id").to_pylist()
    return pa.table({"length": [len(text) for text in ids], "document_id": ids})


class Recorder:
    """A step that remembers the shards it was asked for and may break down at one of them."""

    def __init__(self, *, fails_at="nowhere"):
        self.seen = []
        self.fails_at = fails_at

    def __call__(self, table):
        shard = table.column("shard")[0].as_py()
        if shard == self.fails_at:
            raise RuntimeError(f"killed at {shard}")
        self.seen.append((shard, table.column("document_id").to_pylist()))
        return length(table)


def run(rel, step, **knobs):
    settings = {"key": "shard", "schema": SCHEMA, "description": "measure"} | knobs
    return shards.map_shards(rel, step, **settings).read_all()


ROWS = [("b", "b2"), ("a", "a1"), ("c", "c1"), ("b", "b1"), ("a", "a22")]


def test_each_shard_comes_once_whole_and_in_order(connection):
    step = Recorder()
    result = run(relation(connection, ROWS), step)
    assert step.seen == [("a", ["a1", "a22"]), ("b", ["b1", "b2"]), ("c", ["c1"])]
    assert result.column("length").to_pylist() == [2, 3, 2, 2, 2]


def test_descending_shards_still_hold_ascending_rows_and_the_keyless_come_last(connection):
    step = Recorder()
    run(relation(connection, [*ROWS, (None, "x")]), step, descending=True)
    assert [shard for shard, _ in step.seen] == ["c", "b", "a", None]
    assert step.seen[1][1] == ["b1", "b2"]


def test_a_shard_larger_than_a_batch_stays_one_shard(connection):
    count = 3 * relations.ROWS_PER_BATCH + 7
    connection.execute(
        f"create table texts as select (i // {count - 5})::varchar as shard, "
        f"lpad(i::varchar, 9, '0') as document_id from range({count}) numbers(i)"
    )
    step = Recorder()
    result = run(connection.table("texts"), step)
    assert [len(ids) for _, ids in step.seen] == [count - 5, 5]
    assert result.num_rows == count


def test_zero_rows_give_zero_rows_of_the_schema(connection):
    result = run(relation(connection, []), Recorder())
    assert result.num_rows == 0
    assert result.schema == SCHEMA


def test_results_are_cast_to_the_schema(connection):
    result = run(relation(connection, ROWS), length)
    assert result.schema == SCHEMA


def test_a_step_that_returns_other_columns_is_named(connection):
    def wrong(table):
        return table.select(["shard"])

    with pytest.raises(Exception, match=r"measure: the step returned columns \['shard'\]"):
        run(relation(connection, ROWS), wrong)


def test_the_result_can_be_inserted_through_the_same_database(connection):
    reader = shards.map_shards(
        relation(connection, ROWS), length, key="shard", schema=SCHEMA, description="measure"
    )
    # As dbt does: the rows are written through a second cursor while the first streams.
    cursor = connection.cursor()
    cursor.register("lengths_read", reader)
    cursor.execute("create table lengths as select * from lengths_read")
    assert connection.table("lengths").count("*").fetchall() == [(len(ROWS),)]


def test_a_killed_run_computes_only_what_is_left(connection, tmp_path):
    rel = relation(connection, ROWS)
    killed = Recorder(fails_at="c")
    with pytest.raises(Exception, match="killed at c"):
        run(rel, killed, checkpoints=tmp_path / "work")
    resumed = Recorder()
    result = run(rel, resumed, checkpoints=tmp_path / "work")
    assert [shard for shard, _ in killed.seen] == ["a", "b"]
    assert [shard for shard, _ in resumed.seen] == ["c"]
    assert result.equals(run(rel, Recorder()))


@pytest.mark.parametrize(
    "change",
    [
        {"version": "2"},
        {"description": "weigh"},
        {"schema": SCHEMA.set(1, pa.field("length", pa.int64()))},
    ],
)
def test_checkpoints_of_another_version_are_not_used(connection, tmp_path, change):
    rel = relation(connection, ROWS)
    run(rel, Recorder(), checkpoints=tmp_path, version="1")
    again = Recorder()
    run(rel, again, checkpoints=tmp_path, **({"version": "1"} | change))
    assert len(again.seen) == 3


def test_only_a_changed_shard_is_computed_again(connection, tmp_path):
    run(relation(connection, ROWS), Recorder(), checkpoints=tmp_path)
    again = Recorder()
    run(relation(connection, [*ROWS, ("b", "b0")]), again, checkpoints=tmp_path)
    assert [shard for shard, _ in again.seen] == ["b"]


def test_a_torn_checkpoint_is_computed_again(connection, tmp_path):
    rel = relation(connection, ROWS)
    whole = run(rel, Recorder(), checkpoints=tmp_path)
    torn = sorted(tmp_path.iterdir())[0]
    torn.write_bytes(torn.read_bytes()[:40])
    again = Recorder()
    assert run(rel, again, checkpoints=tmp_path).equals(whole)
    assert len(again.seen) == 1


def test_clearing_removes_checkpoints_and_nothing_else(connection, tmp_path):
    folder = tmp_path / "work"
    run(relation(connection, ROWS), Recorder(), checkpoints=folder)
    (folder / "mine.txt").write_text("keep")
    checkpoints.clear_checkpoints(folder)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    (folder / "mine.txt").unlink()
    checkpoints.clear_checkpoints(folder)
    assert not folder.exists()
    checkpoints.clear_checkpoints(folder)


NESTED = pa.table(
    {
        "text": ["ab", "", None, "c"],
        "words": pa.array([["a", None], [], None, ["b"]], pa.list_(pa.string())),
        "year": pa.array([1, None, 3, 4], pa.int32()),
        "is_ai": [True, None, False, False],
        "vector": pa.array([[1, 2], None, [3, 4], [5, 6]], pa.list_(pa.float32(), 2)),
    }
)


def test_a_digest_follows_the_values_not_their_place_in_memory():
    padded = pa.concat_tables([NESTED, NESTED, NESTED]).combine_chunks().slice(4, 4)
    chunked = pa.concat_tables([NESTED.slice(0, 1), NESTED.slice(1)])
    assert checkpoints.table_digest(padded, "") == checkpoints.table_digest(NESTED, "")
    assert checkpoints.table_digest(chunked, "") == checkpoints.table_digest(NESTED, "")


def test_values_beneath_nulls_do_not_show_in_a_digest():
    valid = pa.array([True, False]).buffers()[1]
    tables = [
        pa.table({"n": pa.Array.from_buffers(pa.int32(), 2, [valid, pa.py_buffer(values)])})
        for values in (b"\1\0\0\0\2\0\0\0", b"\1\0\0\0\3\0\0\0")
    ]
    assert checkpoints.table_digest(tables[0], "") == checkpoints.table_digest(tables[1], "")


@pytest.mark.parametrize("name", NESTED.column_names)
def test_every_column_shows_in_a_digest(name):
    place = NESTED.column_names.index(name)
    moved = NESTED.set_column(place, name, NESTED.column(name).take(pa.array([3, 1, 2, 0])))
    assert checkpoints.table_digest(moved, "") != checkpoints.table_digest(NESTED, "")


def test_a_digest_is_the_same_in_another_process():
    code = (
        "import pyarrow as pa; from python_steps.engine.checkpoints import table_digest; "
        "print(table_digest(pa.table({'a': ['x', None], 'b': [[1.0], []]}), 'salt'))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    here = checkpoints.table_digest(pa.table({"a": ["x", None], "b": [[1.0], []]}), "salt")
    assert other.stdout.strip() == here


@pytest.mark.parametrize("wanted, shown", [("1", True), ("0", False)])
def test_progress_is_shown_when_asked_for(connection, monkeypatch, capsys, wanted, shown):
    monkeypatch.setenv(progress.PROGRESS_VARIABLE, wanted)
    run(relation(connection, ROWS), length)
    assert ("measure" in capsys.readouterr().err) == shown


def test_a_log_file_gets_plain_lines(connection, monkeypatch, capsys):
    monkeypatch.delenv(progress.PROGRESS_VARIABLE, raising=False)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_FIRST_LINES", -1.0)
    run(relation(connection, ROWS), length)
    assert "measure: 5 of 5 rows" in capsys.readouterr().err
