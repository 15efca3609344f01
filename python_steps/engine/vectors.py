"""
Keep tables with a vector for each row in files that are mapped into memory.

A file has either no name, and vanishes with the process, or one that other processes and machines
open: then it is named by its content, written aside and given its name when whole. A task that
runs twice, or is killed half-way, does no harm.
"""

from __future__ import annotations

import functools
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from python_steps.engine.files import aside, settle

# Where the numbers of an .npy file begin: its header leaves room for a greater number of rows.
HEADER_BYTES = 128


@dataclass(frozen=True)
class VectorRows:
    """
    A table and a matrix with one vector for each of its rows.

    What lies in named files pickles as their names; each process opens them once. Mapped files
    take no memory of a process, and processes of one machine share what they have read.

    Attributes
    ----------
    digest
        Names the content: equal digests, equal rows in equal order.
    count
        Rows.
    width
        Numbers in a vector; 0 without rows.
    stem
        Absolute path of the two files without their endings, ``.arrow`` and ``.npy``; empty where
        they have no names.
    """

    digest: str
    count: int
    width: int
    stem: str = ""
    _held: tuple[pa.Table, np.ndarray] | None = field(default=None, repr=False, compare=False)

    @property
    def table(self) -> pa.Table:
        """The columns besides the vectors."""
        return (self._held or _opened(self.stem))[0]

    @property
    def vectors(self) -> np.ndarray:
        """float32[count, width]; what is written to it reaches no named file."""
        return (self._held or _opened(self.stem))[1]

    def __reduce__(self) -> tuple:
        if not self.stem:
            message = (
                "vectors in a file without a name cannot leave their process: store them in a "
                "folder that every machine shares"
            )
            raise TypeError(message)
        return VectorRows, (self.digest, self.count, self.width, self.stem)


def store(
    pieces: Iterable[tuple[pa.Table, np.ndarray]],
    *,
    schema: pa.Schema,
    folder: str | Path | None = None,
    ending: str | None = None,
) -> VectorRows:
    """
    Write rows with their vectors to files.

    Memory holds the table, and of the vectors one piece at a time.

    Parameters
    ----------
    pieces
        Tables of `schema`, and float32[rows, width] of one width. How rows are cut into pieces
        changes no byte of what is stored.
    schema
        Columns besides the vectors: text and integers.
    folder
        Where files take their room; the system's place for such unless given.
    ending
        What follows the digest in the name of a file, before ``.arrow`` and ``.npy``. Without one
        the vectors' file has no name, and the table stays in memory.

    Raises
    ------
    ValueError
        When pieces differ in width.
    """
    folder = Path(folder or tempfile.gettempdir()).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    digests = {name: hashlib.blake2b(digest_size=16) for name in schema.names}
    tables: list[pa.Table] = []

    def passed_on() -> Iterator[np.ndarray]:
        for table, vectors in pieces:
            if table.num_rows:
                columns = table.select(schema.names).cast(schema)
                for name, digest in digests.items():
                    # Value by value, so that no cutting matters.
                    lines = "".join(f"{value!r}\n" for value in columns.column(name).to_pylist())
                    digest.update(lines.encode())
                tables.append(columns)
                yield vectors

    def finished(shape: tuple[int, int], digest: str) -> tuple[str, pa.Table]:
        """Return the digest of all, and the table: in one piece, so that to take rows is cheap."""
        whole = hashlib.blake2b(f"{digest} {shape}".encode(), digest_size=16)
        for name, of_column in digests.items():
            whole.update(f"\n{name} {of_column.hexdigest()}".encode())
        return whole.hexdigest(), pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()

    if ending is None:
        with tempfile.TemporaryFile(dir=folder) as file:
            shape, digest_of_vectors = _write_vectors(file, passed_on())
            file.flush()
            # A file of no numbers cannot be mapped.
            vectors = np.empty(shape, "<f4")
            if shape[0]:
                vectors = np.memmap(file, "<f4", "r+", offset=HEADER_BYTES, shape=shape)
        digest, table = finished(shape, digest_of_vectors)
        return VectorRows(digest, *shape, _held=(table, vectors))
    with aside(folder, ending) as numbers, aside(folder, ending) as texts:
        with numbers.open("wb") as file:
            shape, digest_of_vectors = _write_vectors(file, passed_on())
        digest, table = finished(shape, digest_of_vectors)
        with pa.OSFile(str(texts), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            writer.write_table(table)
        stem = str(folder / f"{digest}.{ending}")
        settle(numbers, Path(f"{stem}.npy"))
        settle(texts, Path(f"{stem}.arrow"))
    return VectorRows(digest, *shape, stem)


def _write_vectors(file: BinaryIO, blocks: Iterable[np.ndarray]) -> tuple[tuple[int, int], str]:
    """Write blocks of rows one after another as one .npy file; return its shape and a digest."""
    digest = hashlib.blake2b(digest_size=16)
    rows, width = 0, 0
    file.seek(HEADER_BYTES)
    for block in blocks:
        if rows and block.shape[1] != width:
            message = f"vectors of {block.shape[1]} numbers follow vectors of {width}"
            raise ValueError(message)
        content = np.ascontiguousarray(block, "<f4").tobytes()
        file.write(content)
        digest.update(content)
        rows, width = rows + len(block), block.shape[1]
    # Last, since only now the number of rows is known.
    file.seek(0)
    header = {"descr": "<f4", "fortran_order": False, "shape": (rows, width)}
    np.lib.format.write_array_header_1_0(file, header)
    if file.tell() != HEADER_BYTES:
        message = f"the header of {rows} vectors takes {file.tell()} bytes, not {HEADER_BYTES}"
        raise ValueError(message)
    return (rows, width), digest.hexdigest()


@functools.cache  # a name stands for one content, so what is open never grows old
def _opened(stem: str) -> tuple[pa.Table, np.ndarray]:
    try:
        with pa.memory_map(f"{stem}.arrow") as source:
            table = pa.ipc.open_file(source).read_all()
        # Copy on write: torch takes no read-only array without a warning, and nobody writes.
        vectors = np.load(f"{stem}.npy", mmap_mode="c" if table.num_rows else None)
    except FileNotFoundError as error:
        message = (
            f"{stem}.arrow and .npy are not here: either the folder is not shared with this "
            "machine or it was cleared; the step that stores these vectors has to run again"
        )
        raise FileNotFoundError(message) from error
    return table, vectors
