"""
Match every paper to its nearest patents of the same year or later.

Patents lie sorted from the last year to the first, so that those a paper may be matched to are a
run of them: from the first on, unless a patent may also come too late. The rule "no patent is
earlier than its paper" then holds exactly, without a filter and without wasted search. Comparing
everything goes through the run. An approximate index comes in two ways:

* On one machine, the year sweep: years of papers come from the last to the first, and one index
  grows by each year's patents before that year's papers are looked up.
* On many, stored blocks: patents are parted into blocks of neighbouring years, each with an index
  in a file. A paper is looked up in every block that lies in its run as a whole, and compared with
  what the run has of other blocks. Papers may then come in any order, to any process.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import embedding, engine, exact_search, storage, tables, transformer

if TYPE_CHECKING:
    from usearch.index import Index

METHODS = ("auto", "exact", "hnsw")

# Two similarities closer than this count as equal when an answer is audited.
AUDIT_TOLERANCE = 1e-6

# Papers that go through the patents together.
PAPERS_PER_PASS = 16_384
# Papers that one call is given, where the data do not part them otherwise.
PAPERS_IN_MEMORY = 65_536
PAIRS_PER_BLOCK = 4096
# Candidates of an index beyond `count` that are compared again, so that its rounding rarely costs
# a neighbour.
EXTRA_CANDIDATES = 16
# Below this many eligible patents comparing all is cheaper than asking an index.
ALWAYS_EXACT_BELOW = 4096
# Edges of a node of an index, and candidates held while adding one.
CONNECTIVITY = 16
EXPANSION_ADD = 128
# Candidates held while searching an index of so many: what finds .99 of the nearest there.
EXPANSION_SEARCH = 128
EXPANSION_SEARCH_FITS = 100_000
MEMORY = 4 * 1024**3
# What a pair of vectors costs to compare, in comparisons in float32 on one core; what a patent
# costs to add to an index, for each unit of the natural logarithm of the patents; and what a paper
# costs to look up, for each of these and each candidate held. Measured by
# tests/benchmarks/matching, but for a GPU and for bf16 without tiles.
PAIR_COST = {"f32": 1.0, "bf16": 0.5, "bf16 tiles": 0.3, "cuda": 0.001}
ADD_COST = 5_600.0
SEARCH_COST = 35.0

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

    rows: storage.VectorRows
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
    def from_batches(
        cls, batches: Iterable[pa.RecordBatch], *, folder: str | Path | None = None
    ) -> Patents:
        """
        Read patents whole as one block for this process: vectors to a file, the rest to memory.

        Parameters
        ----------
        batches
            Columns `document_id` (text), `year` (integer), `embedding` (float32[width]) and
            `model_version` (text), ordered by year descending, then `document_id`. Rows without
            a year are left out: no paper may be matched to them.
        folder
            Where the nameless file of vectors is kept; the system's place for such unless given.

        Raises
        ------
        ValueError
            When rows are out of order, a vector is not of length one, or vectors come from more
            than one model.
        """
        versions: set[str | None] = set()

        def pieces() -> Iterator[tuple[pa.Table, np.ndarray]]:
            for batch in batches:
                table = _with_year(pa.Table.from_batches([batch]))
                versions.update(table.column("model_version").unique().to_pylist())
                yield table, embedding.unit_vectors(table)

        rows = storage.store(pieces(), schema=PATENT, folder=folder)
        version = _one_version(versions)
        _check_order(rows.table)
        return cls._of([PatentBlock(rows, version)] if rows.count else [])

    @classmethod
    def from_table(cls, table: pa.Table, *, folder: str | Path | None = None) -> Patents:
        """Read patents from a table in any order; see :meth:`from_batches`."""
        ordered = table.sort_by([("year", "descending"), ("document_id", "ascending")])
        return cls.from_batches(ordered.to_batches(), folder=folder)

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
                    storage.VectorRows(row["digest"], row["patents"], row["width"], row["path"]),
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
        version = _one_version({block.model_version for block in blocks})
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
    table = _with_year(table)
    if not table.num_rows:
        return tables.PATENT_BLOCKS.empty_table()
    version = _one_version(set(table.column("model_version").unique().to_pylist()))
    by = [("year", "descending"), ("document_id", "ascending")]
    order = pc.sort_indices(table, sort_keys=by).to_numpy()
    patents = table.select(PATENT.names).take(pa.array(order)).cast(PATENT)
    _check_order(patents)
    vectors = embedding.unit_vectors(table)
    pieces = (
        (patents.slice(start, PAIRS_PER_BLOCK), vectors[order[start : start + PAIRS_PER_BLOCK]])
        for start in range(0, len(order), PAIRS_PER_BLOCK)
    )
    rows = storage.store(pieces, schema=PATENT, folder=folder, ending="block")
    index_path = None
    if index and rows.count >= ALWAYS_EXACT_BELOW:
        index_path = Path(f"{rows.stem}.ip-{connectivity}-{expansion_add}.usearch")
        if not index_path.is_file():
            built = _new_index(rows.width, connectivity, expansion_add)
            _add(built, 0, rows.vectors, threads=1)
            with storage.aside(folder, "block") as path:
                built.save(path)
                storage.settle(path, index_path)
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


def chosen_method(
    method: str,
    papers: Mapping[int, int],
    patents: Mapping[int, int],
    *,
    width: int,
    minimum_lag: int = 0,
    maximum_lag: int | None = None,
    connectivity: int = CONNECTIVITY,
    expansion_search: int | None = None,
    add_threads: int = 1,
    precision: str = "auto",
    memory: int = MEMORY,
    device: str = "auto",
    is_stored: bool = False,
    **_: object,
) -> str:
    """
    Return the method to use: for ``auto`` the cheaper one.

    Comparing everything costs a product for every paper and eligible patent. An index costs its
    building, whatever is then asked of it, and a search for each paper; both grow with the
    logarithm of the patents. What each costs was measured side by side: see :data:`PAIR_COST`. The
    rule goes by counts and by what the processor can do, never by a clock, so that the same
    machine always decides the same.

    Parameters
    ----------
    method
        ``exact``, ``hnsw`` or ``auto``.
    papers, patents
        Documents of each year.
    width
        Numbers in a vector.
    is_stored
        Whether indexes would lie in files. One that does not has to fit in `memory`.
    **_
        For the others see :class:`Matcher`.

    Raises
    ------
    ValueError
        When the method is none of the three.
    """
    if method not in METHODS:
        message = f"method must be one of {', '.join(METHODS)}, got {method!r}"
        raise ValueError(message)
    number = sum(patents.values())
    if method != "auto" or number < ALWAYS_EXACT_BELOW:
        return "exact" if method == "auto" else method
    if not is_stored and number * _index_bytes(width, connectivity) > memory:
        return "exact"
    last = np.inf if maximum_lag is None else maximum_lag
    pairs = sum(
        found * sum(there for when, there in patents.items() if minimum_lag <= when - year <= last)
        for year, found in papers.items()
    )
    device = transformer.present_device(device)
    if device.startswith("cuda"):
        kind = "cuda"
    else:
        kind = transformer.chosen_precision(precision, device)
        kind = "bf16 tiles" if kind == "bf16" and transformer.has_matrix_tiles(device) else kind
    import torch

    # Blocks with indexes are built and searched side by side, as everything is compared.
    threads = 1 if is_stored else torch.get_num_threads()
    search = SEARCH_COST * (expansion_search or fitting_expansion(number)) / threads
    add = ADD_COST / (1 if is_stored else add_threads or threads)
    index = np.log(number) * (number * add + sum(papers.values()) * search)
    return "exact" if pairs * PAIR_COST[kind] / threads <= index else "hnsw"


def fitting_expansion(patents: int) -> int:
    """
    Return how many candidates to hold while searching an index of so many patents.

    With as many for every size, recall falls as an index grows: 128 find .990 of the nearest
    among a hundred thousand patents and .94 among a million, where 512 find .988. The power of two
    thirds keeps it about even.
    """
    return max(
        EXPANSION_SEARCH, round(EXPANSION_SEARCH * (patents / EXPANSION_SEARCH_FITS) ** (2 / 3))
    )


@dataclass
class Matcher:
    """
    Finds the nearest eligible patents of papers.

    The similarity of a pair is the cosine, computed in double precision and rounded to float32: it
    depends on the pair alone, never on the method or on what else is compared. Equal similarities
    are ordered by patent id.

    Parameters
    ----------
    patents
        What to match to.
    count
        Most patents to keep for one paper.
    method
        ``exact`` compares everything; its answer is proved, not hoped for, and the same in any
        precision and on any device. ``hnsw`` asks an approximate index and compares its candidates
        again. :func:`chosen_method` tells the cheaper one.
    minimum_lag, maximum_lag
        Fewest and most years by which a patent may be later than its paper; any number without
        `maximum_lag`. With it an index must be stored: that of a sweep holds later patents too.
    connectivity, expansion_add, expansion_search
        Edges of a node of an index, and candidates held while adding and while searching: more
        is better and slower. Stored indexes must have been built with the first two; the last is
        :func:`fitting_expansion` of what the index holds unless given.
    add_threads
        Threads that build the index of a sweep. One gives the same index every time; more do not.
        0: as many as torch may use.
    search_threads
        Threads that search an index; they change no result. 0: as many as torch may use.
    precision
        What everything is compared in first: ``f32``, ``bf16``, or ``auto`` for bf16 where the
        processor computes in it. It changes no result.
    memory
        Bytes that may be kept beside the files of vectors: patents in bf16 or on a GPU, as far as
        they fit in. They are else read again for each call.
    device
        Where everything is compared, as torch names it; ``auto``: the current CUDA device if there
        is one.

    Notes
    -----
    Beside `memory`, a call takes what its papers take thrice, about 40 MB for scores and what is
    found, and an index about a kilobyte a patent. Vectors of patents are read from their files,
    which the system maps and may take back at any time.

    With stored blocks it pickles as some hundred bytes a block, and a task costs nothing to begin
    but the opening of their files, once per process: three files a block stay open. Indexes are
    viewed in place, so that all processes of a machine read one copy in its memory; where they do
    not fit there, every search waits for the disk.
    """

    patents: Patents
    count: int
    method: str = "exact"
    minimum_lag: int = 0
    maximum_lag: int | None = None
    connectivity: int = CONNECTIVITY
    expansion_add: int = EXPANSION_ADD
    expansion_search: int | None = None
    add_threads: int = 1
    search_threads: int = 0
    precision: str = "auto"
    memory: int = MEMORY
    device: str = "auto"
    _index: Index | None = field(default=None, init=False, repr=False)
    _added: np.ndarray | None = field(default=None, init=False, repr=False)
    _stored: bool = field(default=False, init=False, repr=False)
    _kept_tiles: dict[tuple[int, int], exact_search.Tile] = field(
        default_factory=dict, init=False, repr=False
    )

    def __post_init__(self) -> None:
        if self.method not in METHODS[1:]:
            message = f"method must be one of {', '.join(METHODS[1:])}, got {self.method!r}"
            raise ValueError(message)
        if self.count < 1:
            message = f"count must be at least 1, got {self.count}"
            raise ValueError(message)
        most = self.minimum_lag if self.maximum_lag is None else self.maximum_lag
        if not 0 <= self.minimum_lag <= most:
            message = (
                "minimum_lag must be at least 0, as no patent is earlier than its paper, and at "
                f"most maximum_lag; got {self.minimum_lag} and {self.maximum_lag}"
            )
            raise ValueError(message)
        blocks = self.patents.blocks
        self._stored = self.method == "hnsw" and bool(blocks) and blocks[0].connectivity is not None
        if self._stored:
            stored = (blocks[0].connectivity, blocks[0].expansion_add)
            if stored != (self.connectivity, self.expansion_add):
                message = (
                    f"indexes are stored with connectivity and expansion_add {stored}, "
                    f"asked for are {(self.connectivity, self.expansion_add)}"
                )
                raise ValueError(message)

    def __getstate__(self) -> dict[str, object]:
        # What grows belongs to one process: another begins its own.
        return self.__dict__ | {"_index": None, "_added": None, "_kept_tiles": {}}

    @property
    def version(self) -> str:
        """All that decides a paper's matches besides the paper, as text for checkpoints."""
        settings = f"{self.method} {self.count} {self.patents.digest}"
        settings += f" lag {self.minimum_lag} {self.maximum_lag}"
        if self.method == "hnsw":
            settings += f" {self.connectivity} {self.expansion_add} {self.expansion_search}"
            settings += " stored" if self._stored else " sweep"
        return settings

    def step(self, papers: pa.Table) -> pa.Table:
        """
        Match papers, the years from the last to the first.

        Costs, for each year among the papers, one pass over the vectors of eligible patents where
        everything is compared (and one for each 1024 papers more), so it is best given many
        papers, or papers of few years.

        Parameters
        ----------
        papers
            Columns `document_id` (text), `year` (integer), `embedding` (float32[width]) and
            `model_version` (text); with `least_similarity` (float32, may be missing) only patents
            as similar as that are returned. Any number of years. For ``hnsw`` without stored
            indexes no later year may follow an earlier one in another call; years may be missing:
            nothing is added before it is needed.

        Returns
        -------
        pa.Table
            Columns of :data:`tables.MATCHES`: papers in the order they come within a year, the
            patents of each from nearest to farthest. Papers without a year, or without a patent
            of the years that they may be matched to, give no rows.

        Raises
        ------
        ValueError
            When papers and patents have vectors of different models or widths, when a sweep's
            years come in the wrong order, or when it is to leave out what is too late.
        """
        papers = _with_year(papers)
        if not papers.num_rows or not len(self.patents):
            return tables.MATCHES.empty_table()
        version = _one_version(set(papers.column("model_version").unique().to_pylist()))
        if version != self.patents.model_version:
            message = (
                f"papers are embedded by {version!r}, patents by {self.patents.model_version!r}: "
                "their vectors cannot be compared"
            )
            raise ValueError(message)
        years = _years(papers)
        found = [
            self._match_year(papers.filter(pa.array(years == year)), int(year))
            for year in np.unique(years)[::-1]
        ]
        return pa.concat_tables(found)

    def _match_year(self, papers: pa.Table, year: int) -> pa.Table:
        last = None if self.maximum_lag is None else year + self.maximum_lag
        runs = self.patents.between(year + self.minimum_lag, last)
        eligible = _total(runs)
        if not eligible:
            return tables.MATCHES.empty_table()
        queries = embedding.unit_vectors(papers)
        if queries.shape[1] != self.patents.width:
            message = (
                f"papers have vectors of {queries.shape[1]} numbers, "
                f"patents of {self.patents.width}"
            )
            raise ValueError(message)
        method = self.method if eligible >= ALWAYS_EXACT_BELOW else "exact"
        search = self._search_exactly if method == "exact" else self._search_index
        least = np.full(len(queries), -np.inf, np.float32)
        if "least_similarity" in papers.column_names:
            given = papers.column("least_similarity").cast(pa.float32()).fill_null(-np.inf)
            least = given.to_numpy()
        found = []
        for start in range(0, len(queries), PAPERS_PER_PASS):
            part = slice(start, start + PAPERS_PER_PASS)
            rows, *others = search(queries[part], runs, least[part])
            found.append((rows + start, *others))
        rows, positions, similarities = (np.concatenate(part) for part in zip(*found, strict=True))
        patents = self.patents.take(positions)
        return pa.table(
            [
                _text(papers, "document_id").take(pa.array(rows)),
                patents.column("document_id"),
                pa.array(_places(rows) + 1, pa.int32()),
                pa.array(similarities),
                pa.array(np.full(len(rows), year, np.int32)),
                patents.column("year"),
                pa.array([method] * len(rows), pa.string()),
                pa.array([self.patents.model_version] * len(rows), pa.string()),
            ],
            names=tables.MATCHES.names,
        ).cast(tables.MATCHES)

    # --- exact ----------------------------------------------------------------------------------

    def _search_exactly(
        self, queries: np.ndarray, runs: np.ndarray, least: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what :meth:`_ranked` returns."""
        rows, positions, _ = self._candidates(queries, runs, least)
        return self._ranked(queries, rows, positions, least)

    def _candidates(
        self, queries: np.ndarray, runs: np.ndarray, least: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows of papers, positions of what may be among their nearest, and scores."""
        device = transformer.present_device(self.device)
        precision = transformer.chosen_precision(self.precision, device)
        tiles = self._tiles(runs, precision, device)
        return exact_search.candidates(
            queries, tiles, count=self.count, precision=precision, device=device, least=least
        )

    def _tiles(
        self, runs: np.ndarray, precision: str, device: str
    ) -> Iterator[tuple[int, exact_search.Tile]]:
        """
        Yield patents of runs in the shape of one product, from the first years to the last.

        That way the patents nearest in time come first, which are nearest in content too. Tiles
        are cut at the same places for every run, so that one that is kept serves all years.
        """
        most = exact_search.shape(device).vectors
        starts = self.patents.starts
        for number in reversed(range(len(runs))):
            begin, end = (int(place) for place in runs[number])
            for start in reversed(range(begin - begin % most, end, most)):
                tile = self._kept_tiles.get((number, start))
                if tile is None:
                    vectors = self.patents.blocks[number].rows.vectors[start : start + most]
                    tile = exact_search.tile(vectors, precision=precision, device=device)
                    # In float32 on the processor it is the file itself.
                    is_copy = precision != "f32" or device != "cpu"
                    kept = sum(each.bytes for each in self._kept_tiles.values())
                    if is_copy and kept + tile.bytes <= self.memory:
                        self._kept_tiles[number, start] = tile
                first = max(begin, start)
                part = tile.part(first - start, min(end, start + most) - start)
                yield int(starts[number]) + first, part

    # --- approximate ----------------------------------------------------------------------------

    def _search_index(
        self, queries: np.ndarray, runs: np.ndarray, least: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what :meth:`_ranked` returns."""
        eligible = _total(runs)
        kept = min(self.count, eligible)
        wanted = min(self.count + EXTRA_CANDIDATES, eligible)
        if self._stored:
            found = self._ask_stored_indexes(queries, runs, wanted)
        else:
            self._grow_index(runs)
            found = self._ask(self._index, queries, wanted)
        rows, candidates, _ = found
        # A paper that misses some is compared with everything.
        found = np.bincount(rows, minlength=len(queries))
        short = np.flatnonzero(found < kept)
        if len(short):
            places, exact, _ = self._candidates(queries[short], runs)
            enough = found[rows] >= kept
            rows = np.concatenate([rows[enough], short[places]])
            candidates = np.concatenate([candidates[enough], exact])
        return self._ranked(queries, rows, candidates, least)

    def _ask_stored_indexes(
        self, queries: np.ndarray, runs: np.ndarray, wanted: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ask the index of each block that is eligible as a whole, compare with what is left."""
        blocks = self.patents.blocks
        whole = [
            block.index_path is not None and end - begin == len(block)
            for block, (begin, end) in zip(blocks, runs, strict=True)
        ]
        found = []
        for number in np.flatnonzero(whole):
            rows, places, scores = self._ask(_viewed(blocks[number].index_path), queries, wanted)
            found.append((rows, places + int(self.patents.starts[number]), scores))
        left = np.where(np.array(whole)[:, None], 0, runs)
        found.append(self._candidates(queries, left))
        rows, places, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        # Of all that the blocks hold no more than one index would be asked for.
        order = np.lexsort((-scores, rows))
        rows, places = rows[order], places[order]
        nearest = _places(rows) < wanted
        return rows[nearest], places[nearest], scores[order][nearest]

    def _ask(
        self, index: Index, queries: np.ndarray, wanted: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows of papers, keys (int64) and scores (float32) that an index holds near."""
        import torch

        expansion = self.expansion_search or fitting_expansion(len(index))
        index.expansion_search = max(expansion, self.count + EXTRA_CANDIDATES)
        threads = self.search_threads or torch.get_num_threads()
        hits = index.search(queries, min(wanted, len(index)), threads=threads)
        # For a single query usearch returns one dimension. A place the index could not fill holds
        # key 0 at distance NaN.
        distances, keys = np.atleast_2d(hits.distances), np.atleast_2d(hits.keys)
        rows, places = np.nonzero(~np.isnan(distances))
        return rows, keys[rows, places].astype(np.int64), 1 - distances[rows, places]

    def _grow_index(self, runs: np.ndarray) -> None:
        import torch

        if runs[:, 0].any():
            message = (
                "an index that grows with the years cannot leave out patents that are too late: "
                "store the patents in blocks with indexes, or compare everything"
            )
            raise ValueError(message)
        ends = runs[:, 1]
        if self._index is None:
            self._index = _new_index(self.patents.width, self.connectivity, self.expansion_add)
            self._added = np.zeros(len(ends), np.int64)
        if (ends < self._added).any():
            message = (
                "years of papers must come from the last to the first: the index already holds "
                f"{self._added.sum()} patents, the first {ends.sum()} are wanted"
            )
            raise ValueError(message)
        threads = self.add_threads or torch.get_num_threads()
        for number, block in enumerate(self.patents.blocks):
            new = slice(self._added[number], ends[number])
            first = int(self.patents.starts[number] + new.start)
            _add(self._index, first, block.rows.vectors[new], threads=threads)
        self._added = ends

    # --- both -----------------------------------------------------------------------------------

    def _ranked(
        self, queries: np.ndarray, rows: np.ndarray, candidates: np.ndarray, least: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """
        Return the most similar candidates of each paper, ties by patent id.

        Returns
        -------
        tuple[np.ndarray, np.ndarray, np.ndarray]
            Rows of papers, ascending, positions of patents, and similarities: int64, int64 and
            float32. Of a paper at most `count` patents, all as similar as its `least`.
        """
        values = self._similarities(queries, rows, candidates)
        chosen = values >= least[rows]
        rows, candidates, values = rows[chosen], candidates[chosen], values[chosen]
        order = np.lexsort((-values, rows))
        rows, candidates, values = rows[order], candidates[order], values[order]
        # As similar as the last that is kept: ids decide which of them stay.
        last = np.flatnonzero(_places(rows) == self.count - 1)
        lowest = np.full(len(queries), -np.inf, np.float32)
        lowest[rows[last]] = values[last]
        chosen = values >= lowest[rows]
        rows, candidates, values = rows[chosen], candidates[chosen], values[chosen]
        # Ids are read only where they decide.
        equal = (rows[1:] == rows[:-1]) & (values[1:] == values[:-1])
        if equal.any():
            tied = np.append(equal, False) | np.insert(equal, 0, False)
            ids = self.patents.take(candidates[tied]).column("document_id")
            ranks = np.zeros(len(rows), np.int64)
            ranks[tied] = pc.rank(ids, tiebreaker="dense").to_numpy()
            order = np.lexsort((ranks, -values, rows))
            candidates, values = candidates[order], values[order]
        nearest = _places(rows) < self.count
        return rows[nearest], candidates[nearest], values[nearest]

    def _similarities(
        self, queries: np.ndarray, rows: np.ndarray, candidates: np.ndarray
    ) -> np.ndarray:
        """Return the similarity of each pair of a row of papers and a patent, float32[pairs]."""
        values = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), PAIRS_PER_BLOCK):
            pairs = slice(start, start + PAIRS_PER_BLOCK)
            values[pairs] = pair_similarities(
                queries[rows[pairs]], self.patents.vectors(candidates[pairs])
            )
        return values


def match(
    papers: pa.Table, patents: Patents, *, count: int, method: str = "auto", **settings: object
) -> pa.Table:
    """
    Match papers of any years at once.

    Parameters
    ----------
    papers
        See :meth:`Matcher.step`.
    patents
        What to match to.
    count
        Most patents to keep for one paper.
    method
        See :func:`chosen_method`.
    **settings
        Further parameters of :class:`Matcher`.

    Returns
    -------
    pa.Table
        Columns of :data:`tables.MATCHES`, papers of the last year first.
    """
    of_papers = _count_years(_years(_with_year(papers)))
    of_patents = [_count_years(block.years) for block in patents.blocks]
    counted = sum(of_patents, Counter())
    method = chosen_method(method, of_papers, counted, width=patents.width, **settings)
    return Matcher(patents, count, method, **settings).step(papers)


def audit(
    papers: pa.Table,
    patents: Patents,
    matches: pa.Table,
    *,
    count: int,
    minimum_lag: int = 0,
    maximum_lag: int | None = None,
) -> pa.Table:
    """
    Compare what matching found with what comparing everything finds.

    Parameters
    ----------
    papers
        The sample: see :meth:`Matcher.step`.
    patents
        What the papers were matched to.
    matches
        Columns of :data:`tables.MATCHES`; rows of papers outside the sample are ignored.
    count, minimum_lag, maximum_lag
        What the papers were matched with: see :class:`Matcher`.

    Returns
    -------
    pa.Table
        Columns of :data:`tables.MATCH_AUDIT`, one row per paper of the sample that has an eligible
        patent, ordered by paper. A returned patent is a hit when it is eligible and as similar as
        the last one of the exact answer, less 1e-6: of equals either will do. A paper that was
        given nothing counts as given similarity 0.
    """
    lags = {"minimum_lag": minimum_lag, "maximum_lag": maximum_lag}
    truth = _by_paper(match(papers, patents, count=count, method="exact", **lags))

    def in_time(lag: int) -> bool:
        return minimum_lag <= lag and (maximum_lag is None or lag <= maximum_lag)

    returned = _by_paper(matches)
    rows = []
    for paper, exact in sorted(truth.items()):
        year, expected = exact[0][2], len(exact)
        found = [row for row in returned.get(paper, []) if in_time(row[3] - year)][:count]
        enough = exact[-1][1] - AUDIT_TOLERANCE
        hits = min(expected, sum(row[1] >= enough for row in found))
        best = found[0][1] if found else 0.0
        rows.append(
            {
                "paper_id": paper,
                "paper_year": year,
                "expected_k": expected,
                "returned_k": len(found),
                "hits_at_1": float(bool(found) and best >= exact[0][1] - AUDIT_TOLERANCE),
                "hits_at_k": hits / expected,
                "similarity_regret": exact[0][1] - best,
            }
        )
    return pa.Table.from_pylist(rows, schema=tables.MATCH_AUDIT)


def pair_similarities(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """
    Return the cosine of each pair of vectors of length one.

    Products of two float32 are exact in float64, and their sum is rounded once to float32: the
    result depends on the pair alone, not on how many pairs are computed together.

    Parameters
    ----------
    left, right
        float32[pairs, width].

    Returns
    -------
    np.ndarray
        float32[pairs].
    """
    values = np.einsum("ij,ij->i", left.astype(np.float64), right.astype(np.float64))
    return values.astype(np.float32)


def _new_index(width: int, connectivity: int, expansion_add: int) -> Index:
    from usearch.index import Index

    return Index(
        ndim=width,
        # Of length one it is the cosine, for half the work.
        metric="ip",
        dtype="bf16",  # named, since the default depends on the processor
        connectivity=connectivity,
        expansion_add=expansion_add,
        enable_key_lookups=False,  # a table of all keys that no search needs
    )


def _index_bytes(width: int, connectivity: int) -> int:
    """Return about what a patent takes in an index: its numbers, edges of five bytes, and a key."""
    return 2 * width + 2 * 5 * connectivity + 32


def _add(index: Index, first: int, vectors: np.ndarray, *, threads: int) -> None:
    """Add vectors under the keys from `first` on, in blocks: they come from a file."""
    for start in range(0, len(vectors), PAIRS_PER_BLOCK):
        block = np.asarray(vectors[start : start + PAIRS_PER_BLOCK])
        keys = np.arange(first + start, first + start + len(block), dtype=np.uint64)
        index.add(keys, block, threads=threads)


@functools.cache  # a name stands for one content, so what is open never grows old
def _viewed(path: str) -> Index:
    """Open the file of an index in place, once per process."""
    from usearch.index import Index

    if not Path(path).is_file():
        message = f"{path} is not here: see that its folder is shared, or store the block again"
        raise FileNotFoundError(message)
    return Index.restore(path, view=True, enable_key_lookups=False)


def _places(rows: np.ndarray) -> np.ndarray:
    """Return the place of each element among those equal to it, from 0, of an ascending array."""
    return np.arange(len(rows)) - np.searchsorted(rows, rows)


def _total(runs: np.ndarray) -> int:
    """Return how many patents lie in runs, int64[blocks, 2]."""
    return int((runs[:, 1] - runs[:, 0]).sum())


def _with_year(table: pa.Table) -> pa.Table:
    return table.filter(pc.is_valid(table.column("year")))


def _count_years(years: np.ndarray) -> Counter[int]:
    values, counts = np.unique(years, return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))


def _years(table: pa.Table) -> np.ndarray:
    return table.column("year").cast(pa.int32()).to_numpy()


def _text(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name).cast(pa.large_string()).combine_chunks()
    return pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column


def _check_order(patents: pa.Table) -> None:
    ids, years = (patents.column(name).combine_chunks() for name in PATENT.names)
    if len(ids) < 2:
        return
    years = years.to_numpy()
    ascending = pc.less(ids[:-1], ids[1:]).to_numpy(zero_copy_only=False)
    right = (years[:-1] > years[1:]) | ((years[:-1] == years[1:]) & ascending)
    wrong = np.flatnonzero(~right)
    if len(wrong):
        place = int(wrong[0])
        message = (
            "patents must come by year descending, then document_id ascending, each once: "
            f"{ids[place]} ({years[place]}) is followed by {ids[place + 1]} ({years[place + 1]})"
        )
        raise ValueError(message)


def _one_version(versions: set[str | None]) -> str:
    if len(versions) > 1:
        message = f"vectors of more than one model: {sorted(map(str, versions))}"
        raise ValueError(message)
    return next(iter(versions), None) or ""


def _by_paper(matches: pa.Table) -> dict[str, list[tuple[str, float, int, int]]]:
    """Return (patent, similarity, paper year, patent year) of each paper, nearest first."""
    names = ["patent_id", "similarity", "paper_year", "patent_year"]
    ordered = matches.sort_by([("paper_id", "ascending"), ("rank", "ascending")])
    columns = [ordered.column(name).to_pylist() for name in ["paper_id", *names]]
    found: dict[str, list[tuple[str, float, int, int]]] = {}
    for paper, *row in zip(*columns, strict=True):
        found.setdefault(paper, []).append(tuple(row))
    return found


# --- relations ----------------------------------------------------------------------------------


def match_in_space(
    papers: engine.Relation,
    patents: engine.Relation,
    *,
    space: str,
    description: str,
    checkpoints: str | Path,
    method: str = "auto",
    gpus_per_task: float = 0,
    **settings: object,
) -> engine.Result:
    """
    Match all papers of a relation in one space, on as many workers as there are.

    Parameters
    ----------
    papers
        Columns of :meth:`Matcher.step`, `embedding_text` (text) and `year_shard` (text).
    patents
        Columns of :func:`store_block`, `embedding_text` (text) and `block` (integer).
    space
        The `embedding_text` to match in.
    description
        What the progress bar calls the work.
    method
        See :func:`chosen_method`, which decides here for all workers.
    checkpoints, gpus_per_task
        See :func:`engine.map_shards` and :func:`engine.working_folder`.
    **settings
        Further parameters of :class:`Matcher`.

    Returns
    -------
    pa.RecordBatchReader or pyspark.sql.DataFrame
        Columns of :data:`tables.MATCHES` and `embedding_text`.
    """
    papers, patents = (
        relation.filter(f"embedding_text = '{space}'") for relation in (papers, patents)
    )
    counted = [engine.count_by(relation, "year") for relation in (papers, patents)]
    if not counted[0]:
        patents = patents.filter("1 = 0")  # none need be stored
    width = len(engine.any_value(patents, "embedding") or ())
    # One machine builds one index, which grows with the years: that takes longer than an index for
    # each block, and is searched in two thirds of the time. It cannot leave out what is too late.
    is_stored = engine.is_spark(patents) or settings.get("maximum_lag") is not None
    method = chosen_method(method, *counted, width=width, is_stored=is_stored, **settings)
    is_indexed = is_stored and method == "hnsw"
    stored = stored_patents(
        patents, space=space, checkpoints=checkpoints, is_indexed=is_indexed, **settings
    )
    matcher = Matcher(stored, method=method, **settings)
    # A pass over the patents costs the least for many papers at once; workers want shares of them,
    # and memory holds so many.
    most = max(counted[0].values(), default=0)
    key = "year_shard" if engine.is_spark(papers) or most > PAPERS_IN_MEMORY else "year"
    return engine.map_shards(
        papers,
        partial(_step_in_space, matcher=matcher, space=space),
        key=key,
        descending=True,
        schema=tables.MATCHES.append(tables.EMBEDDING_TEXT),
        description=f"{description} by {space}",
        version=matcher.version,
        checkpoints=checkpoints,
        gpus_per_task=gpus_per_task,
    )


def audit_in_space(
    papers: engine.Relation,
    patents: engine.Relation,
    matches: engine.Relation,
    *,
    space: str,
    checkpoints: str | Path,
    **settings: object,
) -> pa.Table:
    """
    Audit the matches of a small relation of papers in one space, here.

    Parameters
    ----------
    papers, patents, space, checkpoints
        See :func:`match_in_space`.
    matches
        Columns of :data:`tables.MATCHES` and `embedding_text`, of these papers and others.
    **settings
        Further parameters of :func:`audit`.

    Returns
    -------
    pa.Table
        Columns of :data:`tables.MATCH_AUDIT` and `embedding_text`.
    """
    papers, patents, matches = (
        relation.filter(f"embedding_text = '{space}'") for relation in (papers, patents, matches)
    )
    columns = ["document_id", "year", "embedding", "model_version"]
    sample = engine.collect(papers, columns=columns, order=["document_id"])
    order = ["paper_id", "rank"]
    matches = engine.semi_join(matches, papers, on={"paper_id": "document_id"})
    found = engine.collect(matches, columns=tables.MATCHES.names, order=order)
    stored = stored_patents(patents, space=space, checkpoints=checkpoints)
    return tables.in_space(audit(sample, stored, found, **settings), space)


def stored_patents(
    patents: engine.Relation,
    *,
    space: str,
    checkpoints: str | Path,
    is_indexed: bool = False,
    connectivity: int = CONNECTIVITY,
    expansion_add: int = EXPANSION_ADD,
    **_: object,
) -> Patents:
    """
    Store the patents of a space block by block, on as many workers as there are; return them all.

    With checkpoints, blocks that are stored already are only read. See :func:`match_in_space`.
    """
    step = partial(
        store_block,
        folder=engine.working_folder(checkpoints),
        index=is_indexed,
        connectivity=connectivity,
        expansion_add=expansion_add,
    )
    blocks = engine.map_shards(
        patents,
        step,
        key="block",
        schema=tables.PATENT_BLOCKS,
        description=f"store patents by {space}",
        version=f"{is_indexed} {connectivity} {expansion_add}",
        checkpoints=checkpoints,
    )
    return Patents.from_blocks(engine.whole(blocks))


def _step_in_space(papers: pa.Table, *, matcher: Matcher, space: str) -> pa.Table:
    return tables.in_space(matcher.step(papers), space)
