"""Keep the result of each finished shard in a file, so that a repeated step reads it back."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.engine.files import written_whole
from python_steps.engine.progress import skip_part

Step = Callable[[pa.Table], pa.Table]


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


@dataclass(frozen=True)
class CheckpointedStep:
    """A step that reads a shard which it has seen before, in any process, from a file."""

    step: Step
    folder: Path
    salt: str

    def __call__(self, shard: pa.Table) -> pa.Table:
        """Return what the step makes of a shard, from its file where there is one."""
        path = self.folder / f"{table_digest(shard, self.salt)}.shard.arrow"
        if path.is_file():
            # A file torn by a crash of the machine is no checkpoint: compute again.
            with contextlib.suppress(pa.ArrowInvalid), pa.OSFile(str(path)) as source:
                table = pa.ipc.open_file(source).read_all()
                skip_part()
                return table
        result = self.step(shard)
        self.folder.mkdir(parents=True, exist_ok=True)
        # By many, since Spark may try one shard twice at a time.
        with (
            written_whole(path, by_many=True) as partial,
            pa.OSFile(str(partial), "wb") as sink,
            pa.ipc.new_file(sink, result.schema) as writer,
        ):
            writer.write_table(result)
        return result


def table_digest(table: pa.Table, salt: str) -> str:
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
