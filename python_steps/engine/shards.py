"""
Run one step over every shard of a relation, on DuckDB or on Spark.

The data decide the shards (rows that share a key) and their order, never the engine: that alone
keeps results equal to the bit from one run to the next, and from one engine to the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from python_steps.engine.checkpoints import CheckpointedStep, Step
from python_steps.engine.progress import with_progress
from python_steps.engine.relations import ROWS_PER_BATCH, count, is_spark, portable_schema

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation
    from pyspark.sql import DataFrame

    Result = pa.RecordBatchReader | DataFrame
    Relation = TypeVar("Relation", DuckDBPyRelation, DataFrame)


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
        step = CheckpointedStep(step, Path(checkpoints).absolute(), salt)
    if is_spark(relation):
        return _map_on_spark(relation, step, key, schema, order, description, gpus_per_task)
    direction = "desc" if descending else "asc"
    ordering = f'"{key}" {direction} nulls last, "{order}" asc'

    def batches() -> Iterator[pa.RecordBatch]:
        # Counted and closed before the stream opens: a connection holds one open result, and
        # DuckDB before 2.0 silently drops the rest of the first when a second is opened.
        total = count(relation)
        reader = relation.order(ordering).to_arrow_reader(ROWS_PER_BATCH)
        shards = with_progress(_shards(reader, key), total=total, size=len, description=description)
        yield from _results(shards, step, schema=schema, description=description)

    return pa.RecordBatchReader.from_batches(schema, batches())


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

    portable = portable_schema(schema)
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

    from python_steps.transformer import devices

    resources = TaskContext.get().resources()
    devices.assign_device(f"cuda:{resources['gpu'].addresses[0]}" if "gpu" in resources else "cpu")


def _profile(gpus_per_task: float) -> object | None:
    if not gpus_per_task:
        return None
    from pyspark.resource import ResourceProfileBuilder, TaskResourceRequests

    requests = TaskResourceRequests().resource("gpu", gpus_per_task)
    return ResourceProfileBuilder().require(requests).build
