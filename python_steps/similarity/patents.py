"""Patents with their vectors, sorted from the last year to the first, in blocks."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import tables
from python_steps.embeddings import encoder
from python_steps.engine import files
from python_steps.engine.vectors import VectorRows, store
from python_steps.similarity import method
from python_steps.similarity.indexes import (
    CONNECTIVITY,
    EXPANSION_ADD,
    PAIRS_PER_BLOCK,
    add,
    new_index,
)

PATENT = pa.schema([("document_id", pa.large_string()), ("year", pa.int32())])


@dataclass(frozen=True)
class PatentBlock:
    """
    Some patents, sorted by year descending, then id.

    Attributes
    ----------
    rows
        Columns `document_id` (large text) and `year` (int32), and vectors of length one.
    model_version
        What made the vectors.
    connectivity, expansion_add
        Settings of the index; None where none was asked for.
    index_path
        File of the index; None without one, as in a block that is too small to need one.
    """

    rows: VectorRows
    model_version: str
    connectivity: int | None = None
    expansion_add: int | None = None
    index_path: str | None = None

    def __len__(self) -> int:
        return self.rows.count

    @property
    def years(self) -> np.ndarray:
        """int32[patents], descending."""
        return self.rows.table.column("year").chunk(0).to_numpy()

    def between(self, first: int, last: int | None) -> tuple[int, int]:
        """Return where patents of the years from `first` to `last` begin, and where they end."""
        ascending = self.years[::-1]
        end = len(self) - int(np.searchsorted(ascending, first, side="left"))
        if last is None:
            return 0, end
        return min(len(self) - int(np.searchsorted(ascending, last, side="right")), end), end


@dataclass(frozen=True)
class Patents:
    """
    All patents that papers may be matched to, in one or more blocks.

    Patents from stored blocks pickle as paths and are opened, once per process, where they are
    used. A position counts through the blocks in their order.

    Attributes
    ----------
    blocks
        From the last years to the first; none is empty.
    model_version
        What made the vectors; empty without patents.
    digest
        Names the content: equal digests, equal patents. The same patents in other blocks have
        another digest.
    """

    blocks: tuple[PatentBlock, ...]
    model_version: str
    digest: str

    @classmethod
    def from_blocks(cls, rows: pa.Table) -> Patents:
        """
        Take patents that :func:`store_block` has stored. Opens no file yet.

        Parameters
        ----------
        rows
            Columns of :data:`tables.PATENT_BLOCKS` in any order of rows; others are ignored.
            Every patent lies in one block. Any parting gives the same exact answers; an index is
            of use where few blocks reach across the year of a paper, so blocks are best runs of
            whole years, or parts of one year.

        Raises
        ------
        ValueError
            When a block comes twice, or blocks differ in model, width or settings of the index.
        """
        found = rows.select(tables.PATENT_BLOCKS.names).cast(tables.PATENT_BLOCKS).to_pylist()
        found.sort(key=lambda row: (-row["last_year"], -row["first_year"], row["digest"]))
        for name, what in [
            ("width", "vectors of more than one width"),
            ("connectivity", "indexes of more than one connectivity"),
            ("expansion_add", "indexes of more than one expansion_add"),
        ]:
            values = sorted({str(row[name]) for row in found})
            if len(values) > 1:
                message = f"blocks of patents have {what}: {', '.join(values)}"
                raise ValueError(message)
        for row, following in itertools.pairwise(found):
            if row["digest"] == following["digest"]:
                message = f"the block of patents {row['path']} comes twice"
                raise ValueError(message)
        return cls._of(
            [
                PatentBlock(
                    VectorRows(row["digest"], row["patents"], row["width"], row["path"]),
                    row["model_version"],
                    row["connectivity"],
                    row["expansion_add"],
                    row["index_path"],
                )
                for row in found
            ]
        )

    @classmethod
    def _of(cls, blocks: Sequence[PatentBlock]) -> Patents:
        version = one_version({block.model_version for block in blocks})
        content = " ".join([version, *(block.rows.digest for block in blocks)])
        digest = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
        return cls(tuple(blocks), version, digest)

    def __len__(self) -> int:
        return sum(map(len, self.blocks))

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        return self.blocks[0].rows.width if self.blocks else 0

    @property
    def starts(self) -> np.ndarray:
        """int64[blocks], the position of the first patent of each block."""
        return np.cumsum([0, *map(len, self.blocks)])[:-1]

    def between(self, first: int, last: int | None = None) -> np.ndarray:
        """
        Return the runs of patents of the years from `first` to `last`, or to the end without it.

        Returns
        -------
        np.ndarray
            int64[blocks, 2]: where the run of each block begins, and where it ends.
        """
        runs = [block.between(first, last) for block in self.blocks]
        return np.array(runs, np.int64).reshape(-1, 2)

    def vectors(self, positions: np.ndarray) -> np.ndarray:
        """Return the vectors of patents, float32[positions, width]."""
        vectors = np.empty((len(positions), self.width), np.float32)
        for block, places, inside in self._parted(positions):
            vectors[places] = block.rows.vectors[inside]
        return vectors

    def take(self, positions: np.ndarray) -> pa.Table:
        """Return the `document_id` and `year` of patents."""
        pieces, order = [PATENT.empty_table()], []
        for block, places, inside in self._parted(positions):
            pieces.append(block.rows.table.take(pa.array(inside)))
            order.append(places)
        back = np.argsort(np.concatenate([*order, np.empty(0, np.int64)]))
        return pa.concat_tables(pieces).combine_chunks().take(pa.array(back))

    def _parted(
        self, positions: np.ndarray
    ) -> Iterator[tuple[PatentBlock, np.ndarray, np.ndarray]]:
        """Yield blocks, which of the positions lie in each, and their places in it."""
        starts = self.starts
        numbers = np.searchsorted(starts, positions, side="right") - 1
        for number in np.unique(numbers):
            places = np.flatnonzero(numbers == number)
            yield self.blocks[number], places, positions[places] - starts[number]


def store_block(
    table: pa.Table,
    *,
    folder: str | Path,
    index: bool,
    connectivity: int = CONNECTIVITY,
    expansion_add: int = EXPANSION_ADD,
) -> pa.Table:
    """
    Store a block of patents in files that every machine can open.

    Files that are there already stay as they are; tasks that store the same do not disturb each
    other. Takes about three times the memory of the vectors (of 384 numbers: 0.5 GB for 100,000
    patents), with an index half as much again and about a millisecond a patent: one thread, so
    that the file is the same to the byte every time.

    Parameters
    ----------
    table
        Columns `document_id` (text), `year` (integer), `embedding` (float32[width]) and
        `model_version` (text), in any order. Rows without a year are left out.
    folder
        Where the files are kept: ``*.block.*``, named by their content. Every machine shares it.
    index
        Whether to build an index, which blocks below `ALWAYS_EXACT_BELOW` patents go without.
    connectivity, expansion_add
        See :class:`Matcher`.

    Returns
    -------
    pa.Table
        One row of :data:`tables.PATENT_BLOCKS`; none for a block without patents.

    Raises
    ------
    ValueError
        When a patent comes twice, a vector is not of length one, or vectors come from more than
        one model.
    """
    table = with_year(table)
    if not table.num_rows:
        return tables.PATENT_BLOCKS.empty_table()
    version = one_version(set(table.column("model_version").unique().to_pylist()))
    by = [("year", "descending"), ("document_id", "ascending")]
    order = pc.sort_indices(table, sort_keys=by).to_numpy()
    patents = table.select(PATENT.names).take(pa.array(order)).cast(PATENT)
    _check_distinct(patents)
    vectors = encoder.unit_vectors(table)
    pieces = (
        (patents.slice(start, PAIRS_PER_BLOCK), vectors[order[start : start + PAIRS_PER_BLOCK]])
        for start in range(0, len(order), PAIRS_PER_BLOCK)
    )
    rows = store(pieces, schema=PATENT, folder=folder, ending="block")
    is_indexed = index and rows.count >= method.ALWAYS_EXACT_BELOW
    index_path = _store_index(rows, connectivity, expansion_add) if is_indexed else None
    years = patents.column("year")
    row = {
        "digest": rows.digest,
        "path": rows.stem,
        "patents": rows.count,
        "width": rows.width,
        "first_year": years[-1].as_py(),
        "last_year": years[0].as_py(),
        "model_version": version,
        "connectivity": connectivity if index else None,
        "expansion_add": expansion_add if index else None,
        "index_path": str(index_path) if index_path else None,
    }
    return pa.Table.from_pylist([row], schema=tables.PATENT_BLOCKS)


def _store_index(rows: VectorRows, connectivity: int, expansion_add: int) -> Path:
    """Build the index of a block beside its vectors, unless it is there; return its path."""
    index_path = Path(f"{rows.stem}.ip-{connectivity}-{expansion_add}.usearch")
    if not index_path.is_file():
        built = new_index(rows.width, connectivity, expansion_add)
        add(built, 0, rows.vectors, threads=1)
        with files.aside(index_path.parent, "block") as path:
            built.save(path)
            files.settle(path, index_path)
    return index_path


def with_year(table: pa.Table) -> pa.Table:
    """Return the rows that have a year."""
    return table.filter(pc.is_valid(table.column("year")))


def count_years(years: np.ndarray) -> Counter[int]:
    """Count the documents of each year."""
    values, counts = np.unique(years, return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))


def years_of(table: pa.Table) -> np.ndarray:
    """Return the years of documents: int32 of shape [documents]."""
    return table.column("year").cast(pa.int32()).to_numpy()


def text_column(table: pa.Table, name: str) -> pa.Array:
    """Return a text column as one array."""
    column = table.column(name).cast(pa.large_string()).combine_chunks()
    return pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column


def _check_distinct(patents: pa.Table) -> None:
    """Raise where a patent comes twice in a year; patents come by year and id."""
    ids, years = (patents.column(name).combine_chunks() for name in PATENT.names)
    is_twice = pc.and_(pc.equal(ids[:-1], ids[1:]), pc.equal(years[:-1], years[1:]))
    twice = ids[:-1].filter(is_twice)
    if len(twice):
        message = f"a block must hold a patent once: {twice[0]} comes more than once"
        raise ValueError(message)


def one_version(versions: set[str | None]) -> str:
    """Return the one model version of vectors; raise ValueError where there are more."""
    if len(versions) > 1:
        message = f"vectors of more than one model: {sorted(map(str, versions))}"
        raise ValueError(message)
    return next(iter(versions), None) or ""
