"""
Match every paper to its nearest patents of the same year or later.

The year sweep: patents lie sorted from the last year to the first, so that the patents a paper may
be matched to are a prefix of them. Years of papers come from the last to the first as well, and an
index grows by each year's patents before that year's papers are looked up. The rule "no patent is
earlier than its paper" then holds exactly, without a filter and without wasted search.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import embedding, tables

if TYPE_CHECKING:
    import torch
    from usearch.index import Index

METHODS = ("auto", "exact", "hnsw")

# Two similarities closer than this count as equal when an answer is audited.
AUDIT_TOLERANCE = 1e-6

PAPERS_PER_BLOCK = 1024
PAIRS_PER_BLOCK = 16_384
SCORES_PER_GROUP = 64
# Candidates beyond `count` that are compared again: enough that nearly no exact answer needs the
# slower second look, and that an index's rounding rarely costs a neighbour.
EXTRA_CANDIDATES = 16
# Below this many eligible patents comparing all is cheaper than asking an index.
ALWAYS_EXACT_BELOW = 4096


@dataclass(frozen=True)
class Patents:
    """
    All patents that papers may be matched to, from the last year to the first.

    Attributes
    ----------
    ids
        Text; ascending within a year.
    years
        int32[n], descending.
    vectors
        float32[n, width] of length one, in a file that is mapped into memory and vanishes with the
        object.
    id_ranks
        int32[n], the place of each id among all ids in ascending order: settles ties.
    model_version
        What made the vectors; empty without patents.
    digest
        Names the content: equal digests, equal patents.
    """

    ids: pa.Array
    years: np.ndarray
    vectors: np.ndarray
    id_ranks: np.ndarray
    model_version: str
    digest: str

    @classmethod
    def from_batches(
        cls, batches: Iterable[pa.RecordBatch], *, folder: str | Path | None = None
    ) -> Patents:
        """
        Read patents whole, the vectors to a file, the rest to memory.

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
        ids, years, versions = [], [], set()

        def blocks() -> Iterator[np.ndarray]:
            for batch in batches:
                rows = pa.Table.from_batches([batch])
                rows = rows.filter(pc.is_valid(rows.column("year")))
                if rows.num_rows:
                    ids.append(_text(rows, "document_id"))
                    years.append(_years(rows))
                    versions.update(rows.column("model_version").unique().to_pylist())
                    yield embedding.unit_vectors(rows)

        vectors, digest_of_vectors = embedding.stored_vectors(blocks(), folder=folder)
        all_years = np.concatenate([*years, np.empty(0, np.int32)])
        all_ids = pa.concat_arrays(ids) if ids else pa.array([], pa.large_string())
        _check_order(all_ids, all_years)
        version = _one_version(versions)
        digest = hashlib.blake2b(digest_of_vectors.encode(), digest_size=16)
        digest.update(all_years.tobytes())
        digest.update("\n".join([version, *all_ids.to_pylist()]).encode())
        ranks = np.empty(len(all_ids), np.int32)
        ranks[pc.sort_indices(all_ids).to_numpy()] = np.arange(len(all_ids), dtype=np.int32)
        return cls(
            ids=all_ids,
            years=all_years,
            vectors=vectors,
            id_ranks=ranks,
            model_version=version,
            digest=digest.hexdigest(),
        )

    @classmethod
    def from_table(cls, table: pa.Table, *, folder: str | Path | None = None) -> Patents:
        """Read patents from a table in any order; see :meth:`from_batches`."""
        ordered = table.sort_by([("year", "descending"), ("document_id", "ascending")])
        return cls.from_batches(ordered.to_batches(), folder=folder)

    def __len__(self) -> int:
        return len(self.years)

    def eligible(self, year: int) -> int:
        """Return how many patents, from the first, are of `year` or later."""
        return int(np.searchsorted(-self.years, -year, side="right"))


@dataclass
class Matcher:
    """
    Finds the nearest eligible patents of papers, one year of papers after another.

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
        ``exact`` compares everything; its answer is proved, not hoped for. ``hnsw`` asks an
        approximate index and compares its candidates again. ``auto`` takes ``exact`` below
        `exact_below` patents.
    exact_below
        Patents from which ``auto`` takes the index.
    connectivity, expansion_add, expansion_search
        Edges of a node of the index, and candidates held while adding and while searching: more
        is better and slower.
    add_threads
        Threads that build the index. One gives the same index every time; more do not. 0: all.
    search_threads
        Threads that search it; they change no result. 0: all.
    memory
        Bytes that scores of one block may take.
    device
        Where the exact method computes, as torch names it; ``auto``: a CUDA device if there is one.
    """

    patents: Patents
    count: int
    method: str = "auto"
    exact_below: int = 150_000
    connectivity: int = 16
    expansion_add: int = 128
    expansion_search: int = 128
    add_threads: int = 1
    search_threads: int = 0
    memory: int = 256 * 1024**2
    device: str = "auto"
    _index: Index | None = field(default=None, init=False, repr=False)
    _added: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            message = f"method must be one of {', '.join(METHODS)}, got {self.method!r}"
            raise ValueError(message)
        if self.count < 1:
            message = f"count must be at least 1, got {self.count}"
            raise ValueError(message)
        if self.method == "auto":
            self.method = "exact" if len(self.patents) < self.exact_below else "hnsw"
        if self.device == "auto":
            import torch

            self.device = "cuda" if torch.cuda.is_available() else "cpu"

    @property
    def version(self) -> str:
        """All that decides a paper's matches besides the paper, as text for checkpoints."""
        settings = f"{self.method} {self.count} {self.patents.digest}"
        if self.method == "hnsw":
            settings += f" {self.connectivity} {self.expansion_add} {self.expansion_search}"
        return settings

    def step(self, papers: pa.Table) -> pa.Table:
        """
        Match papers, the years from the last to the first, also from call to call.

        Parameters
        ----------
        papers
            Columns `document_id` (text), `year` (integer), `embedding` (float32[width]) and
            `model_version` (text). Any number of years; for ``hnsw`` no later year may follow an
            earlier one in another call. Years may be missing: nothing is added before it is
            needed.

        Returns
        -------
        pa.Table
            Columns of :data:`tables.MATCHES`: papers in the order they come within a year, the
            patents of each from nearest to farthest. Papers without a year, or without a patent
            as late, give no rows.

        Raises
        ------
        ValueError
            When papers and patents have vectors of different models or widths, or when years come
            in the wrong order.
        """
        papers = papers.filter(pc.is_valid(papers.column("year")))
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
        eligible = self.patents.eligible(year)
        if not eligible:
            return tables.MATCHES.empty_table()
        queries = embedding.unit_vectors(papers)
        if queries.shape[1] != self.patents.vectors.shape[1]:
            message = (
                f"papers have vectors of {queries.shape[1]} numbers, "
                f"patents of {self.patents.vectors.shape[1]}"
            )
            raise ValueError(message)
        method = self.method if eligible >= ALWAYS_EXACT_BELOW else "exact"
        search = self._search_exactly if method == "exact" else self._search_index
        blocks = [
            search(queries[start : start + PAPERS_PER_BLOCK], eligible)
            for start in range(0, len(queries), PAPERS_PER_BLOCK)
        ]
        positions = np.concatenate([block[0] for block in blocks])
        similarities = np.concatenate([block[1] for block in blocks])
        kept = positions.shape[1]
        flat = positions.reshape(-1)
        ids = _text(papers, "document_id").take(pa.array(np.repeat(np.arange(len(queries)), kept)))
        return pa.table(
            [
                ids,
                self.patents.ids.take(pa.array(flat)),
                pa.array(np.tile(np.arange(1, kept + 1, dtype=np.int32), len(queries))),
                pa.array(similarities.reshape(-1)),
                pa.array(np.full(len(flat), year, np.int32)),
                pa.array(self.patents.years[flat]),
                pa.array([method] * len(flat), pa.string()),
                pa.array([self.patents.model_version] * len(flat), pa.string()),
            ],
            names=tables.MATCHES.names,
        ).cast(tables.MATCHES)

    # --- exact ----------------------------------------------------------------------------------

    def _search_exactly(self, queries: np.ndarray, eligible: int) -> tuple[np.ndarray, np.ndarray]:
        """
        Return positions and similarities, int64 and float32 of shape [papers, kept].

        Matrix products give candidates; their similarities are computed again. What makes the
        answer exact: a product in float32 is off by at most `_product_error`, so a patent that is
        no candidate, its score at most the lowest candidate's, cannot reach the last kept
        similarity if that is higher by more. Where it is not (many near-equal patents), everything
        that might reach it is compared again.
        """
        kept = min(self.count, eligible)
        candidates, lowest = self._candidates(queries, eligible)
        positions, similarities = self._ranked(queries, candidates, kept)
        if candidates.shape[1] < eligible:
            bound = similarities[:, -1].astype(np.float64) - _product_error(queries.shape[1])
            for row in np.flatnonzero(lowest >= bound):
                wide = self._at_least(queries[row : row + 1], eligible, bound[row])
                nearest, values = self._ranked(queries[row : row + 1], wide, kept)
                positions[row], similarities[row] = nearest[0], values[0]
        return positions, similarities

    def _candidates(self, queries: np.ndarray, eligible: int) -> tuple[np.ndarray, np.ndarray]:
        """Return positions of the best scores, [papers, some], and the lowest of each row."""
        import torch

        wanted = min(self.count + EXTRA_CANDIDATES, eligible)
        asked = torch.tensor(queries, device=self.device)
        best = positions = None
        for start, scores in self._scores(asked, eligible):
            values, places = _highest(scores, wanted)
            places = places + start
            if best is not None:
                values = torch.cat([best, values], dim=1)
                places = torch.cat([positions, places], dim=1)
                values, order = values.topk(min(wanted, values.shape[1]), dim=1)
                places = places.gather(1, order)
            best, positions = values, places
        return positions.cpu().numpy(), best.amin(dim=1).double().cpu().numpy()

    def _at_least(self, query: np.ndarray, eligible: int, bound: float) -> np.ndarray:
        """Return the positions, [1, some], of all patents whose score is `bound` or more."""
        import torch

        asked = torch.tensor(query, device=self.device)
        found = [
            start + torch.nonzero(scores[0].double() >= bound)[:, 0].cpu().numpy()
            for start, scores in self._scores(asked, eligible)
        ]
        return np.concatenate(found)[None, :]

    def _scores(self, queries: torch.Tensor, eligible: int) -> Iterable[tuple[int, torch.Tensor]]:
        """Yield the first position of a block of patents and float32 scores [papers, block]."""
        import torch

        # Scores, and what picking the highest takes again.
        block = max(SCORES_PER_GROUP, self.memory // (8 * len(queries)))
        block -= block % SCORES_PER_GROUP
        for start in range(0, eligible, block):
            vectors = self.patents.vectors[start : min(start + block, eligible)]
            yield start, queries @ torch.from_numpy(vectors).to(self.device).T

    # --- approximate ----------------------------------------------------------------------------

    def _search_index(self, queries: np.ndarray, eligible: int) -> tuple[np.ndarray, np.ndarray]:
        """Return positions and similarities, int64 and float32 of shape [papers, kept]."""
        self._grow_index(eligible)
        kept = min(self.count, eligible)
        wanted = min(self.count + EXTRA_CANDIDATES, eligible)
        hits = self._index.search(queries, wanted, threads=self.search_threads)
        # For a single query usearch returns one dimension. A place the index could not fill holds
        # key 0 at distance NaN; a row that misses some is compared with everything.
        filled = ~np.isnan(np.atleast_2d(hits.distances))
        candidates = np.atleast_2d(hits.keys).astype(np.int64)
        positions, similarities = self._ranked(queries, candidates, kept, usable=filled)
        short = np.flatnonzero(filled.sum(axis=1) < kept)
        if len(short):
            positions[short], similarities[short] = self._search_exactly(queries[short], eligible)
        return positions, similarities

    def _grow_index(self, eligible: int) -> None:
        if self._index is None:
            from usearch.index import Index

            self._index = Index(
                ndim=self.patents.vectors.shape[1],
                metric="cos",
                dtype="bf16",  # named, since the default depends on the processor
                connectivity=self.connectivity,
                expansion_add=self.expansion_add,
                expansion_search=max(self.expansion_search, self.count + EXTRA_CANDIDATES),
            )
        if eligible < self._added:
            message = (
                "years of papers must come from the last to the first: the index already holds "
                f"{self._added} patents, the first {eligible} are wanted"
            )
            raise ValueError(message)
        # In blocks: the vectors come from a file.
        for start in range(self._added, eligible, PAIRS_PER_BLOCK):
            stop = min(start + PAIRS_PER_BLOCK, eligible)
            self._index.add(
                np.arange(start, stop, dtype=np.uint64),
                np.asarray(self.patents.vectors[start:stop]),
                threads=self.add_threads,
            )
        self._added = eligible

    # --- both -----------------------------------------------------------------------------------

    def _ranked(
        self,
        queries: np.ndarray,
        candidates: np.ndarray,
        kept: int,
        usable: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the `kept` most similar candidates, ties by patent id, and the similarities."""
        rows = np.repeat(np.arange(len(queries)), candidates.shape[1])
        values = pair_similarities(queries, rows, self.patents.vectors, candidates.reshape(-1))
        values = values.reshape(candidates.shape)
        if usable is not None:
            values = np.where(usable, values, np.float32(-2))
        # Stable sorts, the last criterion first.
        order = np.argsort(self.patents.id_ranks[candidates], axis=1, kind="stable")
        by_value = np.argsort(-np.take_along_axis(values, order, 1), axis=1, kind="stable")
        order = np.take_along_axis(order, by_value, 1)[:, :kept]
        return np.take_along_axis(candidates, order, 1), np.take_along_axis(values, order, 1)


def match(papers: pa.Table, patents: Patents, *, count: int, **settings: object) -> pa.Table:
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
    **settings
        Further parameters of :class:`Matcher`.

    Returns
    -------
    pa.Table
        Columns of :data:`tables.MATCHES`, papers of the last year first.
    """
    return Matcher(patents, count, **settings).step(papers)


def audit(papers: pa.Table, patents: Patents, matches: pa.Table, *, count: int) -> pa.Table:
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
    count
        Most patents that were kept for one paper.

    Returns
    -------
    pa.Table
        Columns of :data:`tables.MATCH_AUDIT`, one row per paper of the sample that has an eligible
        patent, ordered by paper. A returned patent is a hit when it is eligible and as similar as
        the last one of the exact answer, less 1e-6: of equals either will do. A paper that was
        given nothing counts as given similarity 0.
    """
    truth = _by_paper(match(papers, patents, count=count, method="exact"))
    returned = _by_paper(matches)
    rows = []
    for paper, exact in sorted(truth.items()):
        year, expected = exact[0][2], len(exact)
        found = [row for row in returned.get(paper, []) if row[3] >= year][:count]
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


def pair_similarities(
    left: np.ndarray, left_rows: np.ndarray, right: np.ndarray, right_rows: np.ndarray
) -> np.ndarray:
    """
    Return the cosine of each pair of rows of two matrices of vectors of length one.

    Products of two float32 are exact in float64, and their sum is rounded once to float32: the
    result depends on the pair alone, not on how many pairs are computed together.

    Parameters
    ----------
    left, right
        float32[:, width].
    left_rows, right_rows
        Integers of shape [pairs].

    Returns
    -------
    np.ndarray
        float32[pairs].
    """
    values = np.empty(len(left_rows), dtype=np.float32)
    for start in range(0, len(left_rows), PAIRS_PER_BLOCK):
        block = slice(start, start + PAIRS_PER_BLOCK)
        one = left[left_rows[block]].astype(np.float64)
        other = right[right_rows[block]].astype(np.float64)
        values[block] = np.einsum("ij,ij->i", one, other)
    return values


def _highest(scores: torch.Tensor, wanted: int) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Return the highest scores of each row and their places.

    The highest groups of neighbouring scores are found first: each of the highest scores lies in
    one of them, and there are far fewer groups than scores to order.
    """
    import torch

    rows, columns = scores.shape
    wanted = min(wanted, columns)
    groups = columns // SCORES_PER_GROUP
    if groups < 2 * wanted:
        return scores.topk(wanted, dim=1)
    whole = groups * SCORES_PER_GROUP
    grouped = scores[:, :whole].reshape(rows, groups, SCORES_PER_GROUP)
    chosen = grouped.amax(dim=2).topk(wanted, dim=1).indices
    inside = grouped.gather(1, chosen[:, :, None].expand(-1, -1, SCORES_PER_GROUP))
    first = chosen[:, :, None] * SCORES_PER_GROUP
    places = first + torch.arange(SCORES_PER_GROUP, device=scores.device)
    values = torch.cat([inside.reshape(rows, -1), scores[:, whole:]], dim=1)
    tail = torch.arange(whole, columns, device=scores.device).expand(rows, -1)
    places = torch.cat([places.reshape(rows, -1), tail], dim=1)
    values, order = values.topk(wanted, dim=1)
    return values, places.gather(1, order)


def _product_error(width: int) -> float:
    """
    Bound the error of a float32 product of two vectors of length one.

    Whatever the order of the sums it is at most width * u / (1 - width * u), u half a unit in the
    last place (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1); lengths within
    the tolerance of one and the rounding of the final similarity are allowed for.
    """
    unit = 2.0**-24
    return 1.02 * width * unit / (1 - width * unit) + 2 * unit


def _years(table: pa.Table) -> np.ndarray:
    return table.column("year").cast(pa.int32()).to_numpy()


def _text(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name).cast(pa.large_string()).combine_chunks()
    return pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column


def _check_order(ids: pa.Array, years: np.ndarray) -> None:
    if len(ids) < 2:
        return
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
