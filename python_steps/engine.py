"""
Run one step over every shard of a relation.

The only module of the package that knows what a relation is. The data decide the shards (rows
that share a key) and their order, never the engine: that alone keeps results equal to the bit
from one run to the next.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

Step = Callable[[pa.Table], pa.Table]


class Relation(Protocol):
    """What is asked of a lazy relation; DuckDB's `DuckDBPyRelation` has it."""

    def count(self, column: str) -> Self:
        """Return a relation of the number of rows."""

    def order(self, order_expr: str) -> Self:
        """Return the rows in an order."""

    def fetchall(self) -> list[tuple]:
        """Return all rows."""

    def to_arrow_reader(self, batch_size: int) -> pa.RecordBatchReader:
        """Open a stream of the rows."""


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
) -> pa.RecordBatchReader:
    """
    Call a step once for every shard of a relation and stream what it returns.

    A shard is all rows with one value of `key`. Shards come in the order of `key`, rows within a
    shard in the order of `order`. One shard is in memory at a time, however large the relation.

    Parameters
    ----------
    relation
        Lazy DuckDB relation. Nothing of it is read before the returned reader is.
    step
        Pure function from the rows of one shard to rows of `schema`.
    key
        Column that names the shard. Rows without a key form the last shard.
    schema
        Columns and types of the result; what the step returns is cast to it.
    order
        Column that orders the rows of a shard; unique, so that the order is total.
    descending
        Whether the shards come from the last key to the first.
    description
        What the progress bar calls the work; also part of the name of a checkpoint.
    version
        Everything besides the rows that decides the result (model, settings, other tables), as
        text. Checkpoints of another version are not used.
    checkpoints
        Folder for the results of finished shards, so that a killed run does not compute them
        again; none are kept without one.

    Returns
    -------
    pa.RecordBatchReader
        Rows of `schema`; none for a relation without rows.

    Raises
    ------
    ValueError
        While reading, when the step's columns are not those of `schema`.
    """
    direction = "desc" if descending else "asc"
    ordering = f'"{key}" {direction} nulls last, "{order}" asc'
    if checkpoints:
        salt = f"{description}\n{version}\n{schema.to_string()}"
        step = _remember(step, folder=Path(checkpoints), salt=salt)

    def batches() -> Iterator[pa.RecordBatch]:
        # Counted and closed before the stream opens: a connection holds one open result, and
        # DuckDB before 2.0 silently drops the rest of the first when a second is opened.
        total = relation.count("*").fetchall()[0][0]
        reader = relation.order(ordering).to_arrow_reader(ROWS_PER_BATCH)
        shards = _reported(_shards(reader, key), total=total, description=description)
        yield from _results(shards, step, schema=schema, description=description)

    return pa.RecordBatchReader.from_batches(schema, batches())


def clear_checkpoints(folder: str | Path) -> None:
    """
    Remove the checkpoints in a folder, and the folder when nothing else is in it.

    Call it once the table the shards were computed for is safely written. A folder that does not
    exist is no error; files that are no checkpoints stay.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return
    for path in [*folder.glob("*.shard.arrow"), *folder.glob("*.shard.partial")]:
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not empty: someone else's files
        folder.rmdir()


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


def _remember(step: Step, *, folder: Path, salt: str) -> Step:
    """Wrap a step so that a shard it has seen before, in any process, is read from a file."""

    def remembered(shard: pa.Table) -> pa.Table:
        path = folder / f"{_digest(shard, salt)}.shard.arrow"
        if path.is_file():
            # A file torn by a crash of the machine is no checkpoint: compute again.
            with contextlib.suppress(pa.ArrowInvalid), pa.OSFile(str(path)) as source:
                return pa.ipc.open_file(source).read_all()
        result = step(shard)
        folder.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name.split('.')[0]}-{os.getpid()}.shard.partial")
        with pa.OSFile(str(aside), "wb") as sink, pa.ipc.new_file(sink, result.schema) as writer:
            writer.write_table(result)
        # Under its name only when whole, so that a kill at any moment leaves no half file.
        aside.replace(path)
        return result

    return remembered


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
