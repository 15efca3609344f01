"""Choose between comparing everything and an index, by what each costs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from python_steps.similarity.indexes import CONNECTIVITY, index_bytes
from python_steps.transformer import devices

METHODS = ("auto", "exact", "hnsw")


# Below this many eligible patents comparing all is cheaper than asking an index.
ALWAYS_EXACT_BELOW = 4096


# Candidates held while searching an index of this size: what finds .99 of the nearest there.
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
        Other settings of :class:`Matcher`, which do not decide; it refuses unknown ones.

    Raises
    ------
    ValueError
        When the method is none of the three.
    """
    if method not in METHODS:
        message = f"method must be one of {', '.join(METHODS)}, got {method!r}"
        raise ValueError(message)
    if method != "auto":
        return method
    number = sum(patents.values())
    fits = is_stored or number * index_bytes(width, connectivity) <= memory
    if number < ALWAYS_EXACT_BELOW or not fits:
        return "exact"
    import torch

    # Blocks with indexes are built and searched side by side, as everything is compared.
    threads = 1 if is_stored else torch.get_num_threads()
    exact = _pairs(papers, patents, minimum_lag, maximum_lag) * _pair_cost(precision, device)
    search = SEARCH_COST * (expansion_search or fitting_expansion(number)) / threads
    add = ADD_COST / (1 if is_stored else add_threads or threads)
    index = np.log(number) * (number * add + sum(papers.values()) * search)
    return "exact" if exact / threads <= index else "hnsw"


def _pairs(
    papers: Mapping[int, int],
    patents: Mapping[int, int],
    minimum_lag: int,
    maximum_lag: int | None,
) -> int:
    """Return how many pairs of a paper and an eligible patent there are."""
    last = np.inf if maximum_lag is None else maximum_lag
    return sum(
        count * sum(there for when, there in patents.items() if minimum_lag <= when - year <= last)
        for year, count in papers.items()
    )


def _pair_cost(precision: str, device: str) -> float:
    """Return what a pair costs to compare, see :data:`PAIR_COST`."""
    device = devices.present_device(device)
    if device.startswith("cuda"):
        return PAIR_COST["cuda"]
    kind = devices.chosen_precision(precision, device)
    has_tiles = kind == "bf16" and devices.has_matrix_tiles(device)
    return PAIR_COST["bf16 tiles" if has_tiles else kind]


def fitting_expansion(patents: int) -> int:
    """
    Return how many candidates to hold while searching an index, by the patents in it.

    With as many for every size, recall falls as an index grows: 128 find .990 of the nearest
    among a hundred thousand patents and .94 among a million, where 512 find .988. The power of two
    thirds keeps it about even.
    """
    return max(
        EXPANSION_SEARCH, round(EXPANSION_SEARCH * (patents / EXPANSION_SEARCH_FITS) ** (2 / 3))
    )
