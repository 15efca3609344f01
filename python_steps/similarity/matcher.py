"""
Match every paper to its nearest patents of the same year or later.

Patents are sorted from the last year to the first, so that those a paper may be matched to are a
run of them: from the first on, unless a patent may also come too late. The rule "no patent is
earlier than its paper" then holds exactly, without a filter and without wasted search. Comparing
everything goes through the run. An approximate index comes in two ways:

* On one machine, the year sweep: years of papers come from the last to the first, and one index
  grows by each year's patents before that year's papers are looked up.
* On many, stored blocks: patents are cut into blocks of neighbouring years, each with an index
  in a file. A paper is looked up in every block that lies in its run as a whole, and compared with
  what the run has of other blocks. Papers may then come in any order, to any process.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import tables
from python_steps.embeddings import encoder
from python_steps.similarity import method as similarity_method
from python_steps.similarity.indexes import (
    CONNECTIVITY,
    EXPANSION_ADD,
    EXTRA_CANDIDATES,
    PAIRS_PER_BLOCK,
    places_in_rows,
)
from python_steps.similarity.method import MEMORY, METHODS
from python_steps.similarity.patents import Patents, one_version, text_column, with_year, years_of
from python_steps.similarity.strategies import (
    ExactSearch,
    IndexSettings,
    StoredIndexes,
    SweepIndex,
)

# Papers that go through the patents together.
PAPERS_PER_PASS = 16_384


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
        again. :func:`chosen_method` names the cheaper one.
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
    _exact_search: ExactSearch | None = field(default=None, init=False, repr=False)
    _index: SweepIndex | StoredIndexes | None = field(default=None, init=False, repr=False)

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
        if self._is_stored:
            block = self.patents.blocks[0]
            stored = (block.connectivity, block.expansion_add)
            if stored != (self.connectivity, self.expansion_add):
                message = (
                    f"indexes are stored with connectivity and expansion_add {stored}, "
                    f"asked for are {(self.connectivity, self.expansion_add)}"
                )
                raise ValueError(message)

    def __getstate__(self) -> dict[str, object]:
        # What grows belongs to one process: another begins its own.
        return self.__dict__ | {"_index": None, "_exact_search": None}

    @property
    def _is_stored(self) -> bool:
        """Whether indexes lie in files."""
        blocks = self.patents.blocks
        return self.method == "hnsw" and bool(blocks) and blocks[0].connectivity is not None

    @property
    def version(self) -> str:
        """All that decides a paper's matches besides the paper, as text for checkpoints."""
        settings = f"{self.method} {self.count} {self.patents.digest}"
        settings += f" lag {self.minimum_lag} {self.maximum_lag}"
        if self.method == "hnsw":
            settings += f" {self.connectivity} {self.expansion_add} {self.expansion_search}"
            settings += " stored" if self._is_stored else " sweep"
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
        papers = with_year(papers)
        if not papers.num_rows or not len(self.patents):
            return tables.MATCHES.empty_table()
        version = one_version(set(papers.column("model_version").unique().to_pylist()))
        if version != self.patents.model_version:
            message = (
                f"papers are embedded by {version!r}, patents by {self.patents.model_version!r}: "
                "their vectors cannot be compared"
            )
            raise ValueError(message)
        years = years_of(papers)
        found = [
            self._match_year(papers.filter(pa.array(years == year)), int(year))
            for year in np.unique(years)[::-1]
        ]
        return pa.concat_tables(found)

    def _match_year(self, papers: pa.Table, year: int) -> pa.Table:
        """Match papers of one year."""
        last = None if self.maximum_lag is None else year + self.maximum_lag
        runs = self.patents.between(year + self.minimum_lag, last)
        eligible = _total(runs)
        if not eligible:
            return tables.MATCHES.empty_table()
        queries = self._queries(papers)
        least = _least_similarities(papers)
        method = self.method if eligible >= similarity_method.ALWAYS_EXACT_BELOW else "exact"
        search = self._search_exactly if method == "exact" else self._search_index
        found = []
        for start in range(0, len(queries), PAPERS_PER_PASS):
            part = slice(start, start + PAPERS_PER_PASS)
            rows, *others = search(queries[part], runs, least[part])
            found.append((rows + start, *others))
        rows, positions, similarities = (np.concatenate(part) for part in zip(*found, strict=True))
        patents = self.patents.take(positions)
        return pa.table(
            [
                text_column(papers, "document_id").take(pa.array(rows)),
                patents.column("document_id"),
                pa.array(places_in_rows(rows) + 1, pa.int32()),
                pa.array(similarities),
                pa.array(np.full(len(rows), year, np.int32)),
                patents.column("year"),
                pa.array([method] * len(rows), pa.string()),
                pa.array([self.patents.model_version] * len(rows), pa.string()),
            ],
            names=tables.MATCHES.names,
        ).cast(tables.MATCHES)

    def _queries(self, papers: pa.Table) -> np.ndarray:
        """Return the vectors of papers; raise where patents have vectors of another width."""
        queries = encoder.unit_vectors(papers)
        if queries.shape[1] != self.patents.width:
            message = (
                f"papers have vectors of {queries.shape[1]} numbers, "
                f"patents of {self.patents.width}"
            )
            raise ValueError(message)
        return queries

    def _exact(self) -> ExactSearch:
        if self._exact_search is None:
            self._exact_search = ExactSearch(
                self.patents,
                self.count,
                precision=self.precision,
                memory=self.memory,
                device=self.device,
            )
        return self._exact_search

    def _indexes(self) -> SweepIndex | StoredIndexes:
        if self._index is None:
            settings = IndexSettings(
                count=self.count,
                connectivity=self.connectivity,
                expansion_add=self.expansion_add,
                expansion_search=self.expansion_search,
                add_threads=self.add_threads,
                search_threads=self.search_threads,
            )
            self._index = (
                StoredIndexes(self.patents, settings, self._exact())
                if self._is_stored
                else SweepIndex(self.patents, settings)
            )
        return self._index

    def _search_exactly(
        self, queries: np.ndarray, runs: np.ndarray, least: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what :meth:`_ranked` returns."""
        rows, positions, _ = self._exact().candidates(queries, runs, least)
        return self._ranked(queries, rows, positions, least)

    def _search_index(
        self, queries: np.ndarray, runs: np.ndarray, least: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what :meth:`_ranked` returns."""
        eligible = _total(runs)
        kept = min(self.count, eligible)
        wanted = min(self.count + EXTRA_CANDIDATES, eligible)
        rows, positions, _ = self._indexes().candidates(queries, runs, wanted)
        # A paper that misses some is compared with everything.
        found = np.bincount(rows, minlength=len(queries))
        short = np.flatnonzero(found < kept)
        if len(short):
            of_short, exact, _ = self._exact().candidates(queries[short], runs)
            enough = found[rows] >= kept
            rows = np.concatenate([rows[enough], short[of_short]])
            positions = np.concatenate([positions[enough], exact])
        return self._ranked(queries, rows, positions, least)

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
        last = np.flatnonzero(places_in_rows(rows) == self.count - 1)
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
        nearest = places_in_rows(rows) < self.count
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


def _least_similarities(papers: pa.Table) -> np.ndarray:
    """Return the least similarity that each paper's patents must have: float32[papers]."""
    if "least_similarity" not in papers.column_names:
        return np.full(papers.num_rows, -np.inf, np.float32)
    return papers.column("least_similarity").cast(pa.float32()).fill_null(-np.inf).to_numpy()


def _total(runs: np.ndarray) -> int:
    """Return how many patents lie in runs, int64[blocks, 2]."""
    return int((runs[:, 1] - runs[:, 0]).sum())
