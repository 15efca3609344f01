"""
Run one step over every shard of a relation, on DuckDB or on Spark.

The only module of the package that knows what a relation is: a lazy DuckDB relation, or a Spark
DataFrame. The data decide the shards (rows that share a key) and their order, never the engine:
that alone keeps results equal to the bit from one run to the next, and from one engine to the
other.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation
    from pyspark.sql import DataFrame, SparkSession

    Relation = TypeVar("Relation", DuckDBPyRelation, DataFrame)
    Session = DuckDBPyConnection | SparkSession
    Result = pa.RecordBatchReader | DataFrame

Step = Callable[[pa.Table], pa.Table]


PROGRESS_VARIABLE = "DEEPINNOVATION_PROGRESS"
SECONDS_BETWEEN_PLAIN_LINES = 60.0
ROWS_PER_BATCH = 8192


def map_shards(
    relation: Relation,
    step: Step,
    *,
    key: str,
    schema: pa.Schema,
    order: str = "document_id",
    descending: bool = False,
    description: str,
    version: str = "",
    checkpoints: str | Path | None = None,
    gpus_per_task: float = 0,
) -> Result:
    """
    Call a step once for every shard of a relation and stream what it returns.

    A shard is all rows with one value of `key`, its rows in the order of `order`. One shard is in
    memory at a time, and on Spark one for every task that runs; there the shards go to the workers
    in no order, the step is pickled to them, and `spark.sql.shuffle.partitions` is the largest
    number of tasks.

    Parameters
    ----------
    relation
        Lazy DuckDB relation or Spark DataFrame. Nothing of it is read before the result is, save
        the values of `key` on Spark.
    step
        Pure function from the rows of one shard to rows of `schema`.
    key
        Column that names the shard. Rows without a key form the last shard.
    schema
        Columns and types of the result; what the step returns is cast to it.
    order
        Column that orders the rows of a shard; unique, so that the order is total.
    descending
        Whether the shards come from the last key to the first, on DuckDB.
    description
        What the progress bar calls the work; also part of the name of a checkpoint.
    version
        Everything besides the rows that decides the result (model, settings, other tables), as
        text. Checkpoints of another version are not used.
    checkpoints
        Folder for the results of finished shards, so that a killed run does not compute them
        again; none are kept without one. On a cluster, a folder that every worker shares.
    gpus_per_task
        On Spark: the share of a GPU that each task asks for, by a resource profile.

    Returns
    -------
    pa.RecordBatchReader or pyspark.sql.DataFrame
        Rows of `schema`; none for a relation without rows. Spark has no lists of fixed size: they
        come back as plain lists.

    Raises
    ------
    ValueError
        While reading, when the step's columns are not those of `schema`.
    """
    if checkpoints:
        salt = f"{description}\n{version}\n{schema.to_string()}"
        step = _Remembered(step, Path(checkpoints).absolute(), salt)
    if is_spark(relation):
        return _map_on_spark(relation, step, key, schema, order, description, gpus_per_task)
    direction = "desc" if descending else "asc"
    ordering = f'"{key}" {direction} nulls last, "{order}" asc'

    def batches() -> Iterator[pa.RecordBatch]:
        # Counted and closed before the stream opens: a connection holds one open result, and
        # DuckDB before 2.0 silently drops the rest of the first when a second is opened.
        total = count(relation)
        reader = relation.order(ordering).to_arrow_reader(ROWS_PER_BATCH)
        shards = _reported(_shards(reader, key), total=total, description=description)
        yield from _results(shards, step, schema=schema, description=description)

    return pa.RecordBatchReader.from_batches(schema, batches())


def left_to_do(relation: Relation, done: Relation, on: Sequence[str]) -> Relation:
    """
    Return the rows of a relation that have no equal in another.

    Parameters
    ----------
    relation
        What is wanted.
    done
        What is there already.
    on
        Columns that must be equal, none of them null.
    """
    if is_spark(relation):
        return relation.join(done.select(*on), on=list(on), how="left_anti")
    condition = " and ".join(f'wanted."{name}" = done."{name}"' for name in on)
    return relation.set_alias("wanted").join(done.set_alias("done"), condition, how="anti")


def semi_join(relation: Relation, others: Relation, on: Mapping[str, str]) -> Relation:
    """
    Return the rows of a relation that have an equal in another, each once.

    Parameters
    ----------
    relation
        What is wanted a part of.
    others
        What says which part.
    on
        Columns of `relation` that must be equal, by name, to columns of `others`.
    """
    if is_spark(relation):
        renamed = others.select(*(others[other].alias(name) for name, other in on.items()))
        return relation.join(renamed, on=list(on), how="left_semi")
    condition = " and ".join(f'wanted."{name}" = others."{other}"' for name, other in on.items())
    return relation.set_alias("wanted").join(others.set_alias("others"), condition, how="semi")


def collect(relation: Relation, *, columns: Sequence[str], order: Sequence[str]) -> pa.Table:
    """Return columns of a small relation whole, in an order."""
    if is_spark(relation):
        return relation.orderBy(*order).select(*columns).toArrow()
    return relation.order(_quoted(order)).project(_quoted(columns)).to_arrow_table()


def table(relation: Relation, schema: pa.Schema) -> pa.Table:
    """Return the columns of a schema of a small relation, ordered by all of them."""
    return collect(relation, columns=schema.names, order=schema.names).cast(schema)


def count(relation: Relation) -> int:
    """Return the number of rows."""
    return relation.count() if is_spark(relation) else relation.count("*").fetchall()[0][0]


def count_by(relation: Relation, column: str) -> dict[object, int]:
    """Return the number of rows of each value of a column that has few; nulls are left out."""
    if is_spark(relation):
        counted = relation.groupBy(column).count().collect()
    else:
        counted = relation.aggregate(f'"{column}", count(*)', f'"{column}"').fetchall()
    return {value: rows for value, rows in counted if value is not None}


def any_value(relation: Relation, column: str) -> object:
    """Return a value of a column, whichever comes first; None without rows."""
    one = relation.limit(1)
    rows = one.select(column).collect() if is_spark(one) else one.select(f'"{column}"').fetchall()
    return rows[0][0] if rows else None


def union(results: Iterable[Result], schema: pa.Schema) -> Result:
    """Return the rows of all that several calls of :func:`map_shards` give, one after another."""
    results = list(results)
    if is_spark(results[0]):
        return reduce(lambda some, more: some.unionAll(more), results)
    return pa.RecordBatchReader.from_batches(schema, itertools.chain.from_iterable(results))


def whole(result: Result) -> pa.Table:
    """Return all that :func:`map_shards` gives, for results that are small."""
    return result.toArrow() if is_spark(result) else result.read_all()


def batches(result: Result) -> Iterator[pa.RecordBatch]:
    """Yield all that :func:`map_shards` gives; of Spark, which hands it over whole, at once."""
    return iter(result.toArrow().to_batches() if is_spark(result) else result)


def stream(relation: Relation, *, key: str, order: str) -> Iterator[pa.RecordBatch]:
    """
    Return the rows of a large relation in batches, ordered by `key` and then `order`.

    No more than the rows of one key are held at a time: Spark hands over a result only whole, so
    it is asked for one key after another.
    """
    if not is_spark(relation):
        yield from relation.order(_quoted([key, order])).to_arrow_reader(ROWS_PER_BATCH)
        return
    for value in sorted(row[0] for row in relation.select(key).distinct().collect()):
        rows = relation.filter(relation[key] == value).orderBy(order)
        yield from rows.toArrow().to_batches(ROWS_PER_BATCH)


def as_relation(session: Session, table: pa.Table) -> pa.Table | DataFrame:
    """Return a table in the form in which dbt takes it from a Python model."""
    if is_spark(session):
        return session.createDataFrame(table.cast(_portable(table.schema)))
    return table


def is_spark(thing: object) -> bool:
    """Whether a relation or a session is Spark's, of a driver or of Spark Connect."""
    return type(thing).__module__.startswith("pyspark.")


def working_folder(checkpoints: str | Path | None) -> Path:
    """
    Return a folder for files that steps share while nodes are built.

    It is the folder of checkpoints, which a cluster shares; without one, a folder of this machine
    that is gone when this process ends.
    """
    return Path(checkpoints).absolute() if checkpoints else Path(_temporary_folder().name)


@cache
def _temporary_folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="deepinnovation-")


def clear_checkpoints(folder: str | Path) -> None:
    """
    Remove the checkpoints and other working files in a folder, and the folder when it is empty.

    Call it once the tables they were computed for are safely written. A folder that does not
    exist is no error; files that are no checkpoints stay.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return
    for kind in ["shard", "phrases", "block"]:
        for path in folder.glob(f"*.{kind}.*"):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not empty: someone else's files
        folder.rmdir()


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _shards(batches: Iterable[pa.RecordBatch], key: str) -> Iterator[pa.Table]:
    """Cut batches that are ordered by `key` into one table for each of its values."""
    pieces: list[pa.RecordBatch] = []
    current = None
    for batch in batches:
        start = 0
        for value, run in itertools.groupby(batch.column(key).to_pylist()):
            length = sum(1 for _ in run)
            if pieces and value != current:
                yield pa.Table.from_batches(pieces)
                pieces = []
            pieces.append(batch.slice(start, length))
            current = value
            start += length
    if pieces:
        yield pa.Table.from_batches(pieces)


def _results(
    shards: Iterable[pa.Table], step: Step, *, schema: pa.Schema, description: str
) -> Iterator[pa.RecordBatch]:
    """Yield what the step makes of each shard, in the promised columns and types."""
    for shard in shards:
        yield from _checked(step(shard), schema, description).to_batches(ROWS_PER_BATCH)


def _checked(table: pa.Table, schema: pa.Schema, description: str) -> pa.Table:
    if set(table.column_names) != set(schema.names):
        message = (
            f"{description}: the step returned columns {sorted(table.column_names)}, "
            f"expected {sorted(schema.names)}"
        )
        raise ValueError(message)
    return table.select(schema.names).cast(schema)


# --- Spark --------------------------------------------------------------------------------------


def _map_on_spark(
    frame: DataFrame,
    step: Step,
    key: str,
    schema: pa.Schema,
    order: str,
    description: str,
    gpus_per_task: float,
) -> DataFrame:
    """Run the loop in the workers, each over the shards of its partitions."""
    from pyspark.sql.pandas.types import from_arrow_schema

    portable = _portable(schema)
    # Stated, because Spark would fold so few bytes into one partition, and that is one worker; up
    # to twice as many as shards, because their hashes meet.
    most = int(frame.sparkSession.conf.get("spark.sql.shuffle.partitions"))
    partitions = min(2 * frame.select(key).distinct().count() or 1, most)
    work = partial(_map_partition, step=step, key=key, schema=portable, description=description)
    return (
        frame.repartition(partitions, key)
        .sortWithinPartitions(frame[key].asc_nulls_last(), order)
        .mapInArrow(work, from_arrow_schema(portable), profile=_profile(gpus_per_task))
    )


def _map_partition(
    batches: Iterator[pa.RecordBatch], *, step: Step, key: str, schema: pa.Schema, description: str
) -> Iterator[pa.RecordBatch]:
    """Cut the batches of one Spark partition into shards and call the step on each."""
    _assign_device()
    yield from _results(_shards(batches, key), step, schema=schema, description=description)


def _assign_device() -> None:
    """Compute on the GPU that Spark gave this task, or on none: a worker sees all there are."""
    from pyspark import TaskContext

    from python_steps import transformer

    resources = TaskContext.get().resources()
    transformer.assign_device(
        f"cuda:{resources['gpu'].addresses[0]}" if "gpu" in resources else "cpu"
    )


def _profile(gpus_per_task: float) -> object | None:
    if not gpus_per_task:
        return None
    from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests

    requests = TaskResourceRequests().resource("gpu", gpus_per_task)
    return ResourceProfileBuilder().require(requests).build


def _portable(schema: pa.Schema) -> pa.Schema:
    """Return a schema with lists of fixed size, which Spark has not, as plain lists."""
    return pa.schema(
        [
            field.with_type(pa.list_(field.type.value_type))
            if pa.types.is_fixed_size_list(field.type)
            else field
            for field in schema
        ]
    )


# --- progress -----------------------------------------------------------------------------------


def _reported(shards: Iterable[pa.Table], *, total: int, description: str) -> Iterator[pa.Table]:
    """Pass shards on and tell on stderr how many rows are done, how fast, and what remains."""
    wanted = os.environ.get(PROGRESS_VARIABLE, "")
    terminal = wanted == "1" or (wanted != "0" and sys.stderr.isatty())
    started = told = time.monotonic()
    done = 0
    with tqdm(
        total=total, desc=description, unit=" rows", disable=not terminal, file=sys.stderr
    ) as bar:
        for shard in shards:
            yield shard
            done += shard.num_rows
            bar.update(shard.num_rows)
            now = time.monotonic()
            # A log file gets a plain line now and then instead of a bar.
            if not terminal and wanted != "0" and now - told > SECONDS_BETWEEN_PLAIN_LINES:
                told = now
                speed = done / (now - started)
                remaining = (total - done) / speed / 60
                sys.stderr.write(
                    f"{description}: {done:,} of {total:,} rows, {speed:,.0f} rows/s, "
                    f"about {remaining:,.0f} min to go\n"
                )
                sys.stderr.flush()


# --- checkpoints --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Remembered:
    """A step that reads a shard which it has seen before, in any process, from a file."""

    step: Step
    folder: Path
    salt: str

    def __call__(self, shard: pa.Table) -> pa.Table:
        path = self.folder / f"{_digest(shard, self.salt)}.shard.arrow"
        if path.is_file():
            # A file torn by a crash of the machine is no checkpoint: compute again.
            with contextlib.suppress(pa.ArrowInvalid), pa.OSFile(str(path)) as source:
                return pa.ipc.open_file(source).read_all()
        result = self.step(shard)
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name.split('.')[0]}-{uuid.uuid4().hex}.shard.partial")
        with pa.OSFile(str(aside), "wb") as sink, pa.ipc.new_file(sink, result.schema) as writer:
            writer.write_table(result)
        # Under its name only when whole, so that a kill at any moment leaves no half file; under
        # a name of its own before that, since Spark may try one shard twice at a time.
        aside.replace(path)
        return result


def _digest(table: pa.Table, salt: str) -> str:
    """Return a name for the rows of a table that no cutting into chunks or batches changes."""
    digest = hashlib.blake2b(salt.encode(), digest_size=20)
    for name, column in zip(table.column_names, table.columns, strict=True):
        digest.update(f"\n{name} {column.type} ".encode())
        _feed(digest.update, pa.concat_arrays(column.chunks))
    return digest.hexdigest()


def _feed(feed: Callable[[bytes], None], array: pa.Array) -> None:
    """
    Feed the values of an array to a digest, by meaning rather than by memory.

    The buffers of equal arrays may differ: in what lies beneath nulls, in offsets, in padding.
    """
    feed(np.int64(len(array)).tobytes())
    if array.null_count:
        feed(np.packbits(array.is_valid().to_numpy(zero_copy_only=False)).tobytes())
        array = array.drop_null()
    kind = array.type
    if pa.types.is_fixed_size_list(kind):
        _feed(feed, array.flatten())
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        feed(pc.list_value_length(array).cast(pa.int64()).to_numpy().tobytes())
        _feed(feed, array.flatten())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        binary = array.cast(pa.large_binary())
        feed(pc.binary_length(binary).to_numpy().tobytes())
        # Joined into one value, so that offsets and slices do not matter.
        feed(b"".join(binary.to_pylist()))
    elif pa.types.is_primitive(kind):
        feed(array.to_numpy(zero_copy_only=False).tobytes())
    else:
        feed(repr(array.to_pylist()).encode())
