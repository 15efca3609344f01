"""HNSW indexes of usearch."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from usearch.index import Index

PAIRS_PER_BLOCK = 4096


# Candidates of an index beyond `count` that are compared again, so that its rounding rarely costs
# a neighbour.
EXTRA_CANDIDATES = 16


# Edges of a node of an index, and candidates held while adding one.
CONNECTIVITY = 16
EXPANSION_ADD = 128


def new_index(width: int, connectivity: int, expansion_add: int) -> Index:
    """Return an empty index by inner product for vectors of this width."""
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


def index_bytes(width: int, connectivity: int) -> int:
    """Return about what a patent takes in an index: its numbers, edges of five bytes, and a key."""
    return 2 * width + 2 * 5 * connectivity + 32


def add(index: Index, first: int, vectors: np.ndarray, *, threads: int) -> None:
    """Add vectors under the keys from `first` on, in blocks: they come from a file."""
    for start in range(0, len(vectors), PAIRS_PER_BLOCK):
        block = np.asarray(vectors[start : start + PAIRS_PER_BLOCK])
        keys = np.arange(first + start, first + start + len(block), dtype=np.uint64)
        index.add(keys, block, threads=threads)


@functools.cache  # a name stands for one content, so what is open never grows old
def viewed(path: str) -> Index:
    """Open the file of an index in place, once per process."""
    from usearch.index import Index

    if not Path(path).is_file():
        message = f"{path} is not here: see that its folder is shared, or store the block again"
        raise FileNotFoundError(message)
    return Index.restore(path, view=True, enable_key_lookups=False)


def places_in_rows(rows: np.ndarray) -> np.ndarray:
    """Return the place of each element among those equal to it, from 0, of an ascending array."""
    return np.arange(len(rows)) - np.searchsorted(rows, rows)
