"""Documents as hyperedges: the keywords or classes that each combines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, eq=False)
class Hyperedges:
    """
    Sets of nodes in compressed rows.

    Attributes
    ----------
    offsets
        int64[hyperedges + 1]; the nodes of hyperedge h are ``nodes[offsets[h]:offsets[h + 1]]``.
    nodes
        int32[occurrences], ascending and distinct within a hyperedge.
    weights
        float64[hyperedges], how much a hyperedge counts in learning.
    """

    offsets: np.ndarray
    nodes: np.ndarray
    weights: np.ndarray

    @classmethod
    def from_arrow(
        cls,
        nodes: pa.Array | pa.ChunkedArray,
        weights: pa.Array | pa.ChunkedArray | None = None,
        *,
        most_nodes: int | None = None,
    ) -> Hyperedges:
        """
        Read lists of node ids.

        Parameters
        ----------
        nodes
            Lists of integers from 0; duplicates count once, their order not at all, and a missing
            list is an empty one.
        weights
            Numbers above zero; one for each hyperedge unless given.
        most_nodes
            Nodes of the lowest ids to keep of each; all unless given.

        Raises
        ------
        ValueError
            When a node id is missing, negative or beyond int32, or a weight is missing or not
            above zero.
        """
        lists = nodes.combine_chunks() if isinstance(nodes, pa.ChunkedArray) else nodes
        sizes = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
        flat = lists.flatten()
        if flat.null_count:
            message = f"{flat.null_count} node ids are missing"
            raise ValueError(message)
        ids = flat.to_numpy(zero_copy_only=False)
        if len(ids) and (ids.min() < 0 or ids.max() > np.iinfo(np.int32).max):
            message = f"node ids must be from 0 to {np.iinfo(np.int32).max}"
            raise ValueError(message)
        kept = np.ones(len(sizes)) if weights is None else _numbers(weights)
        if len(kept) != len(sizes) or not (kept > 0).all():
            message = "every hyperedge needs a weight above zero"
            raise ValueError(message)
        found = cls(_offsets(sizes), ids.astype(np.int32, copy=False), kept)._distinct()
        if most_nodes is None:
            return found
        places = np.arange(len(found.nodes)) - np.repeat(found.offsets[:-1], found.sizes)
        return found.where(places < most_nodes)

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def sizes(self) -> np.ndarray:
        """int64[hyperedges], how many nodes each has."""
        return np.diff(self.offsets)

    def take(self, rows: np.ndarray) -> Hyperedges:
        """Return some hyperedges, by their positions or by a mask, in that order."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        sizes = self.sizes[rows]
        offsets = _offsets(sizes)
        places = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], sizes)
        return Hyperedges(offsets, self.nodes[places], self.weights[rows])

    def where(self, keep: np.ndarray) -> Hyperedges:
        """Return the same hyperedges with the occurrences, bool[occurrences], that are kept."""
        before = np.concatenate([[0], np.cumsum(keep)])
        return Hyperedges(before[self.offsets], self.nodes[keep], self.weights)

    def _distinct(self) -> Hyperedges:
        """Return the same with nodes ascending and distinct within each."""
        if len(self.nodes) < 2:
            return self
        rows = np.repeat(np.arange(len(self), dtype=np.int64), self.sizes)
        keys = (rows << 32) | self.nodes
        if (keys[1:] > keys[:-1]).all():
            return self
        keys.sort()
        ordered = Hyperedges(self.offsets, (keys & 0xFFFFFFFF).astype(np.int32), self.weights)
        return ordered.where(np.concatenate([[True], keys[1:] > keys[:-1]]))


def _numbers(values: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return values.cast(pa.float64()).to_numpy(zero_copy_only=False)


def _offsets(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
