"""
Ways to find the candidates for a paper's nearest patents.

Each takes vectors of papers and the runs of patents that these may be matched to, and returns rows
of papers, positions of patents that may be among their nearest, and approximate scores. The matcher
computes exact similarities from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from python_steps.similarity import exact_search
from python_steps.similarity.indexes import (
    CONNECTIVITY,
    EXPANSION_ADD,
    EXTRA_CANDIDATES,
    add,
    new_index,
    places_in_rows,
    viewed,
)
from python_steps.similarity.method import MEMORY, fitting_expansion
from python_steps.similarity.patents import Patents
from python_steps.transformer import devices

if TYPE_CHECKING:
    from usearch.index import Index


Candidates = tuple[np.ndarray, np.ndarray, np.ndarray]  # int64 rows, int64 positions, float32


class ExactSearch:
    """
    Compare papers with every eligible patent.

    Its answer is proved, not hoped for, and the same in any precision and on any device.

    Parameters
    ----------
    patents
        What to match to.
    count
        Most patents to keep for one paper.
    precision, memory, device
        See :class:`Matcher`.
    """

    def __init__(
        self,
        patents: Patents,
        count: int,
        *,
        precision: str = "auto",
        memory: int = MEMORY,
        device: str = "auto",
    ) -> None:
        self.patents, self.count, self.memory = patents, count, memory
        self.device = devices.present_device(device)
        self.precision = devices.chosen_precision(precision, self.device)
        self._kept_tiles: dict[tuple[int, int], exact_search.Tile] = {}

    def candidates(
        self, queries: np.ndarray, runs: np.ndarray, least: np.ndarray | None = None
    ) -> Candidates:
        """
        Return what may be among the nearest patents of papers.

        Parameters
        ----------
        queries
            Vectors of papers: float32[papers, width].
        runs
            Where eligible patents begin and end: int64[blocks, 2].
        least
            The least similarity of use to each paper: float32[papers].
        """
        return exact_search.candidates(
            queries,
            self._tiles(runs),
            count=self.count,
            precision=self.precision,
            device=self.device,
            least=least,
        )

    def _tiles(self, runs: np.ndarray) -> Iterator[tuple[int, exact_search.Tile]]:
        """
        Yield patents of runs in the shape of one product, from the first years to the last.

        That way the patents nearest in time come first, which are nearest in content too. Tiles
        are cut at the same places for every run, so that one that is kept serves all years.
        """
        most = exact_search.shape(self.device).vectors
        starts = self.patents.starts
        for number in reversed(range(len(runs))):
            begin, end = (int(place) for place in runs[number])
            for start in reversed(range(begin - begin % most, end, most)):
                first = max(begin, start)
                tile = self._tile(number, start, most)
                part = tile.part(first - start, min(end, start + most) - start)
                yield int(starts[number]) + first, part

    def _tile(self, number: int, start: int, most: int) -> exact_search.Tile:
        """Return a tile of a block, kept from before or read and kept where it fits."""
        kept = self._kept_tiles.get((number, start))
        if kept is not None:
            return kept
        vectors = self.patents.blocks[number].rows.vectors[start : start + most]
        tile = exact_search.tile(vectors, precision=self.precision, device=self.device)
        # In float32 on the processor it is the file itself.
        is_copy = self.precision != "f32" or self.device != "cpu"
        held = sum(each.bytes for each in self._kept_tiles.values())
        if is_copy and held + tile.bytes <= self.memory:
            self._kept_tiles[number, start] = tile
        return tile


@dataclass(frozen=True)
class IndexSettings:
    """
    How an index is built and asked; see :class:`Matcher`.

    Attributes
    ----------
    count
        Most patents to keep for one paper.
    """

    count: int
    connectivity: int = CONNECTIVITY
    expansion_add: int = EXPANSION_ADD
    expansion_search: int | None = None
    add_threads: int = 1
    search_threads: int = 0

    def ask(self, index: Index, queries: np.ndarray, wanted: int) -> Candidates:
        """Return rows of papers, keys and scores that an index finds near."""
        import torch

        expansion = self.expansion_search or fitting_expansion(len(index))
        index.expansion_search = max(expansion, self.count + EXTRA_CANDIDATES)
        threads = self.search_threads or torch.get_num_threads()
        hits = index.search(queries, min(wanted, len(index)), threads=threads)
        # For a single query usearch returns one dimension. A place the index could not fill holds
        # key 0 at distance NaN.
        distances, keys = np.atleast_2d(hits.distances), np.atleast_2d(hits.keys)
        rows, columns = np.nonzero(~np.isnan(distances))
        return rows, keys[rows, columns].astype(np.int64), 1 - distances[rows, columns]


class SweepIndex:
    """
    Ask one index that grows: the patents of a run are added before its papers are looked up.

    Years of papers must come from the last to the first, and no patent may be too late.
    """

    def __init__(self, patents: Patents, settings: IndexSettings) -> None:
        self.patents, self.settings = patents, settings
        self._index = new_index(patents.width, settings.connectivity, settings.expansion_add)
        self._added = np.zeros(len(patents.blocks), np.int64)

    def candidates(self, queries: np.ndarray, runs: np.ndarray, wanted: int) -> Candidates:
        """
        Return up to `wanted` patents near each paper; see :meth:`ExactSearch.candidates`.

        Raises
        ------
        ValueError
            When years come in the wrong order, or patents that are too late are to be left out.
        """
        self.grow(runs)
        return self.settings.ask(self._index, queries, wanted)

    def grow(self, runs: np.ndarray) -> None:
        """Add the patents of runs, beyond those that are there; see :meth:`candidates`."""
        import torch

        if runs[:, 0].any():
            message = (
                "an index that grows with the years cannot leave out patents that are too late: "
                "store the patents in blocks with indexes, or compare everything"
            )
            raise ValueError(message)
        ends = runs[:, 1]
        if (ends < self._added).any():
            message = (
                "years of papers must come from the last to the first: the index already holds "
                f"{self._added.sum()} patents, the first {ends.sum()} are wanted"
            )
            raise ValueError(message)
        threads = self.settings.add_threads or torch.get_num_threads()
        for number, block in enumerate(self.patents.blocks):
            new = slice(self._added[number], ends[number])
            first = int(self.patents.starts[number] + new.start)
            add(self._index, first, block.rows.vectors[new], threads=threads)
        self._added = ends


class StoredIndexes:
    """
    Ask the index of each block that is eligible as a whole; compare with the rest of the run.

    Papers may come in any order, to any process.
    """

    def __init__(self, patents: Patents, settings: IndexSettings, exact: ExactSearch) -> None:
        self.patents, self.settings, self.exact = patents, settings, exact

    def candidates(self, queries: np.ndarray, runs: np.ndarray, wanted: int) -> Candidates:
        """Return up to `wanted` patents near each paper; see :meth:`ExactSearch.candidates`."""
        blocks = self.patents.blocks
        is_whole = np.array(
            [
                block.index_path is not None and end - begin == len(block)
                for block, (begin, end) in zip(blocks, runs, strict=True)
            ]
        )
        found = []
        for number in np.flatnonzero(is_whole):
            index = viewed(blocks[number].index_path)
            rows, inside, scores = self.settings.ask(index, queries, wanted)
            found.append((rows, inside + int(self.patents.starts[number]), scores))
        rest = np.where(is_whole[:, None], 0, runs)
        found.append(self.exact.candidates(queries, rest))
        rows, positions, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        # Of all that the blocks hold no more than one index would be asked for.
        order = np.lexsort((-scores, rows))
        rows, positions, scores = rows[order], positions[order], scores[order]
        nearest = places_in_rows(rows) < wanted
        return rows[nearest], positions[nearest], scores[nearest]
