"""The loop over shards in Spark's workers: the same results, and one call for each shard."""

import os
import signal
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from python_steps.engine import checkpoints, relations, shards
from python_steps.linking import ranking
from tests.python_steps.linking import test_linking

SCHEMA = pa.schema(
    [
        ("document_id", pa.string()),
        ("place", pa.int32()),
        ("rows_of_shard", pa.int32()),
        ("vector", pa.list_(pa.float32(), 2)),
    ]
)
ROWS = pa.table(
    {
        "shard": [f"{number * 7919 % 16:x}" for number in range(5000)],
        "document_id": [f"W{number:05}" for number in range(5000)],
    }
)


def measure(table, *, log=None, kill_in=None):
    """Tell of each row what else was in the call; note the call; die once in one of them."""
    shard = table.column("shard")[0].as_py()
    assert table.column("shard").unique().to_pylist() == [shard]
    if log:
        with (Path(log) / shard).open("a") as calls:
            calls.write("called\n")
        if shard == kill_in and len((Path(log) / shard).read_text().splitlines()) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    count = table.num_rows
    return pa.table(
        {
            "document_id": table.column("document_id"),
            "place": pa.array(range(count), pa.int64()),
            "rows_of_shard": pa.repeat(count, count),
            "vector": pa.FixedSizeListArray.from_arrays(
                pa.array([1 / 3, count / 7] * count, pa.float32()), 2
            ),
        }
    )


@pytest.fixture
def frame(spark):
    return spark.createDataFrame(ROWS)


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        yield opened


def on_spark(frame, step=measure, **knobs):
    settings = {"key": "shard", "schema": SCHEMA, "description": "measure"} | knobs
    return shards.map_shards(frame, step, **settings)


def in_order(table):
    plain = pa.schema(
        [f.with_type(pa.list_(pa.float32())) if f.name == "vector" else f for f in SCHEMA]
    )
    return table.select(plain.names).cast(plain).sort_by("document_id")


def calls(log):
    return {path.name: len(path.read_text().splitlines()) for path in log.iterdir()}


def test_both_engines_return_the_same_bits(frame, connection):
    expected = shards.map_shards(
        connection.from_arrow(ROWS), measure, key="shard", schema=SCHEMA, description="measure"
    )
    assert in_order(on_spark(frame).toArrow()).equals(in_order(expected.read_all()))


def test_each_shard_is_one_call_however_small_the_batches(spark, frame, tmp_path):
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "7")
    try:
        result = on_spark(frame, partial(measure, log=str(tmp_path))).toArrow()
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    assert result.num_rows == ROWS.num_rows
    assert calls(tmp_path) == {f"{shard:x}": 1 for shard in range(16)}


@pytest.mark.parametrize(("most", "partitions"), [("4", 4), ("200", 32)])
def test_the_shards_are_spread_over_tasks(spark, frame, most, partitions):
    # Adaptive execution would fold five thousand short rows into one partition.
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", most)
    try:
        assert on_spark(frame).rdd.getNumPartitions() == partitions
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before)


def test_a_killed_worker_costs_one_try(frame, tmp_path):
    result = on_spark(frame, partial(measure, log=str(tmp_path), kill_in="a")).toArrow()
    assert in_order(result).equals(in_order(on_spark(frame).toArrow()))
    assert calls(tmp_path)["a"] == 2


def test_what_was_finished_before_a_failure_is_not_computed_again(frame, tmp_path):
    log, folder = tmp_path / "log", tmp_path / "checkpoints"
    log.mkdir()
    on_spark(
        frame.filter("shard < 'a'"), partial(measure, log=str(log)), checkpoints=folder
    ).toArrow()
    result = on_spark(frame, partial(measure, log=str(log)), checkpoints=folder).toArrow()
    assert calls(log) == {f"{shard:x}": 1 for shard in range(16)}
    assert in_order(result).equals(in_order(on_spark(frame).toArrow()))


def test_zero_rows_give_zero_rows_of_the_schema(frame):
    result = on_spark(frame.filter("shard = 'none'")).toArrow()
    assert result.num_rows == 0
    assert result.column_names == SCHEMA.names


def test_a_failing_step_says_why(frame):
    def broken(table):
        raise ValueError("no such luck")

    with pytest.raises(Exception, match="no such luck"):
        on_spark(frame, broken).toArrow()


def test_a_worker_has_one_thread_for_each_core_of_its_task(frame):
    def threads(table):
        import torch

        return measure(table).set_column(
            1, "place", pa.repeat(torch.get_num_threads(), table.num_rows)
        )

    assert set(on_spark(frame, threads).toArrow().column("place").to_pylist()) == {1}


@pytest.mark.parametrize("engine_name", ["duckdb", "spark"])
class TestOfRelations:
    """What nodes ask of a relation besides the loop, on both engines."""

    @pytest.fixture
    def make(self, engine_name, request):
        if engine_name == "spark":
            return request.getfixturevalue("spark").createDataFrame
        connection = request.getfixturevalue("connection")
        return connection.from_arrow

    def test_what_is_done_is_left_out(self, make):
        wanted = make(
            pa.table({"id": ["a", "b", "b"], "hash": ["1", "1", "2"], "text": ["x", "y", "z"]})
        )
        done = make(pa.table({"id": ["b", "c"], "hash": ["1", "9"], "vector": [1.0, 2.0]}))
        left = relations.without(wanted, done, on=["id", "hash"])
        found = relations.collect(left, columns=["id", "hash", "text"], order=["id", "hash"])
        assert found.to_pydict() == {"id": ["a", "b"], "hash": ["1", "2"], "text": ["x", "z"]}

    def test_what_has_an_equal_is_kept_once(self, make):
        wanted = make(pa.table({"id": ["a", "b", "c", None], "text": ["x", "y", "z", "w"]}))
        others = make(pa.table({"key": ["c", "a", "c", None, "d"], "id": ["b"] * 5}))
        kept = relations.semi_join(wanted, others, on={"id": "key"})
        found = relations.collect(kept, columns=["id", "text"], order=["id"])
        assert found.to_pydict() == {"id": ["a", "c"], "text": ["x", "z"]}

    def test_some_columns_are_selected_by_name(self, make):
        rows = relations.select(make(pa.table({"a": [1], "order": [2], "b": [3]})), ["order", "a"])
        assert rows.columns == ["order", "a"]
        assert relations.collect(rows, columns=["a"], order=["order"]).to_pydict() == {"a": [1]}

    def test_a_relation_is_collected_in_order(self, make):
        rows = make(pa.table({"b": ["z", "y", "x"], "a": [1, 2, 3], "c": [0, 0, 0]}))
        found = relations.collect(rows, columns=["a", "b"], order=["b"])
        assert found.to_pydict() == {"a": [3, 2, 1], "b": ["x", "y", "z"]}

    def test_a_relation_becomes_a_table_of_a_schema_in_its_order(self, make):
        rows = make(pa.table({"b": [2, 1, 1], "a": ["x", "z", "y"], "c": [0, 0, 0]}))
        schema = pa.schema([("b", pa.int16()), ("a", pa.string())])
        found = relations.table(rows, schema)
        assert found.schema == schema
        assert found.to_pydict() == {"b": [1, 1, 2], "a": ["y", "z", "x"]}

    def test_a_relation_streams_by_key_and_order(self, make):
        batches = list(relations.stream(make(ROWS), key="shard", order="document_id"))
        found = pa.Table.from_batches(batches)
        expected = ROWS.sort_by([("shard", "ascending"), ("document_id", "ascending")])
        assert found.select(ROWS.column_names).to_pydict() == expected.to_pydict()


def test_a_table_becomes_what_dbt_takes(spark, connection):
    table = in_order(measure(ROWS.slice(0, 1)))
    assert relations.as_relation(connection, table) is table
    assert relations.as_relation(spark, table).toArrow().to_pydict() == table.to_pydict()


def test_without_checkpoints_files_go_to_a_folder_of_this_process():
    folder = checkpoints.working_folder("")
    assert folder.is_dir()
    assert checkpoints.working_folder(None) == folder
    assert checkpoints.working_folder("elsewhere") == Path("elsewhere").absolute()


def test_known_pairs_are_ranked_as_on_duckdb(spark):
    spaces = ("title_abstract", "keywords")
    papers = test_linking.documents("W", 4, seed=1, kind="paper", spaces=spaces, last=2002)
    patents = test_linking.documents("P", 40, seed=2, kind="patent", spaces=spaces, first=2002)
    pairs = [("W000", "P001", "twin", True), ("W000", "P002", "near_miss", False)]
    links = [test_linking.link(*pair) for pair in [*pairs, ("W003", "P009")]]
    published = [
        {"space": space, "paper_id": "W000", "patent_id": patent, "rank": rank}
        for space in spaces
        for rank, patent in enumerate(("P002", "P001"), 1)
    ]
    tables = (
        (links, test_linking.LINKS),
        (papers + patents, test_linking.DOCUMENTS),
        (published, test_linking.PUBLISHED),
    )
    frames = [
        spark.createDataFrame(pa.Table.from_pylist(rows, schema=schema)) for rows, schema in tables
    ]
    found = ranking.rank(
        *frames,
        stop_words=test_linking.STOP_WORDS,
        spaces=spaces,
        published_space=spaces[0],
    )
    assert found.num_rows == len(links) * 14
    assert found.equals(test_linking.ranked(links, papers, patents, published, spaces=spaces))
