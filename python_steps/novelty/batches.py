"""Documents in batches, seen from their nodes and from their documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Batch:
    """Some documents with their nodes, from both sides; nodes are rows of those being learned."""

    nodes: np.ndarray  # int32[occurrences], of one document after the other
    offsets: np.ndarray  # int64[documents + 1]
    weights: torch.Tensor  # float32[documents, 1]
    documents: np.ndarray  # int32[occurrences], of one node after the other
    row_offsets: np.ndarray  # int64[rows + 1]
    rows: torch.Tensor  # int64[rows], the nodes of the batch, ascending


def batches_of(
    nodes: np.ndarray, offsets: np.ndarray, weights: np.ndarray, size: int
) -> list[Batch]:
    """
    Cut documents into batches.

    Parameters
    ----------
    nodes
        Rows of the nodes being learned: int32[occurrences], of one document after the other.
    offsets
        Where each document begins: int64[documents + 1].
    weights
        How much each document counts: float64[documents].
    size
        Most documents in a batch.
    """
    import torch

    batches = []
    for start in range(0, len(weights), size):
        ends = offsets[start : start + size + 1]
        inside, sizes = nodes[ends[0] : ends[-1]], np.diff(ends)
        documents = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
        # Both in one number: that sorts several times as fast as one by the other.
        keys = np.sort((inside.astype(np.int64) << 32) | documents)
        of_keys = keys >> 32
        firsts = np.flatnonzero(np.diff(of_keys, prepend=-1))
        batches.append(
            Batch(
                nodes=inside,
                offsets=ends - ends[0],
                weights=torch.from_numpy(weights[start : start + len(sizes)].astype(np.float32))[
                    :, None
                ],
                documents=(keys & 0xFFFFFFFF).astype(np.int32),
                row_offsets=np.append(firsts, len(keys)),
                rows=torch.from_numpy(of_keys[firsts]),
            )
        )
    return batches


def run_sums(values: torch.Tensor, places: np.ndarray, offsets: np.ndarray) -> torch.Tensor:
    """Return the sum of values[places] for each run of places, in their order, [runs, K]."""
    import torch

    return torch.nn.functional.embedding_bag(
        torch.from_numpy(places),
        values,
        torch.from_numpy(offsets.astype(np.int32)),
        mode="sum",
        include_last_offset=True,
    )


def compact(nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct nodes, ascending, and int32 places of the nodes among them."""
    most = int(nodes.max()) + 1 if len(nodes) else 0
    present = np.zeros(most, bool)
    present[nodes] = True
    distinct = np.flatnonzero(present)
    place = np.empty(most, np.int32)
    place[distinct] = np.arange(len(distinct), dtype=np.int32)
    return distinct, place[nodes]
