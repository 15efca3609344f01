"""
Keep tables with a vector for each row in files that are mapped into memory.

Files are named by their content, written aside and given their name when whole, so that other
processes and machines can open them. A task that runs twice, or is killed half-way, does no harm.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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

    It pickles as the name of its files; each process opens them once. Mapped files take no memory
    of a process, and processes of one machine share what they have read.

    Attributes
    ----------
    digest
        Names the content: equal digests, equal rows in equal order.
    count
        Rows.
    width
        Numbers in a vector; 0 without rows.
    stem
        Absolute path of the two files without their endings, ``.arrow`` and ``.npy``.
    """

    digest: str
    count: int
    width: int
    stem: str

    @property
    def table(self) -> pa.Table:
        """The columns besides the vectors."""
        return _opened(self.stem)[0]

    @property
    def vectors(self) -> np.ndarray:
        """float32[count, width]; what is written to it reaches no file."""
        return _opened(self.stem)[1]


class _Rows:
    """The rows that are being stored: their tables, and a digest of each column."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._tables: list[pa.Table] = []
        self._digests = {name: hashlib.blake2b(digest_size=16) for name in schema.names}

    def passed_on(self, pieces: Iterable[tuple[pa.Table, np.ndarray]]) -> Iterator[np.ndarray]:
        """Take the tables of pieces, and yield their vectors."""
        for table, vectors in pieces:
            if table.num_rows:
                columns = table.select(self.schema.names).cast(self.schema)
                for name, digest in self._digests.items():
                    # Value by value, so that no cutting matters.
                    lines = "".join(f"{value!r}\n" for value in columns.column(name).to_pylist())
                    digest.update(lines.encode())
                self._tables.append(columns)
                yield vectors

    def digest(self, shape: tuple[int, int], digest_of_vectors: str) -> str:
        """Return the digest of all that was passed on."""
        whole = hashlib.blake2b(f"{digest_of_vectors} {shape}".encode(), digest_size=16)
        for name, of_column in self._digests.items():
            whole.update(f"\n{name} {of_column.hexdigest()}".encode())
        return whole.hexdigest()

    def table(self) -> pa.Table:
        """Return all rows, in one piece, so that taking some is cheap."""
        return pa.concat_tables([self.schema.empty_table(), *self._tables]).combine_chunks()


def store(
    pieces: Iterable[tuple[pa.Table, np.ndarray]],
    *,
    schema: pa.Schema,
    folder: str | Path,
    ending: str,
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
        Where the files go; made where it is missing.
    ending
        What follows the digest in the name of a file, before ``.arrow`` and ``.npy``.

    Raises
    ------
    ValueError
        When pieces differ in width.
    """
    folder = Path(folder).absolute()
    rows = _Rows(schema)
    with aside(folder, ending) as numbers, aside(folder, ending) as texts:
        with numbers.open("wb") as file:
            shape, digest_of_vectors = _write_vectors(file, rows.passed_on(pieces))
        with pa.OSFile(str(texts), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            writer.write_table(rows.table())
        digest = rows.digest(shape, digest_of_vectors)
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
