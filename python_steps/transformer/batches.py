"""
Run a transformer over texts so that no result depends on the texts it is computed with.

A build in two increments gives the bytes of one build. Three habits together bring that about.

1. A text is padded to a length that only its own number of tokens decides.
2. Every batch of one padded length has the same number of rows; missing ones are filled up. Matrix
   kernels choose their blocking by shape, so a fixed shape fixes the order of every sum.
3. Each batch runs on one thread. With several threads, the order of a product's sums would depend
   on their number; so the cores work on different batches instead, which is no slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from python_steps.engine.progress import advance
from python_steps.transformer.devices import one_thread_per_product

TOKENS_PER_LENGTH_STEP = 16


# Tokens in one batch. Little on a CPU: larger batches gain nothing there and the rows that fill up
# the last batch of a length cost more.
TOKENS_PER_BATCH = {"cpu": 512, "cuda": 32_768}


@dataclass(frozen=True)
class Batch:
    """
    Texts of one padded length.

    Attributes
    ----------
    members
        Positions of the texts, int64 of shape [texts]; the first rows of the others are theirs.
    identifiers, mask, types
        Tokens, what is text, and which of two texts a token is of: int64 of shape [rows, length].
    """

    members: np.ndarray
    identifiers: np.ndarray
    mask: np.ndarray
    types: np.ndarray


def batches(
    tokens: Sequence[Sequence[int]],
    types: Sequence[Sequence[int]] | None = None,
    *,
    padding_token: int,
    device: str,
    on_the_left: bool = False,
) -> Iterator[Batch]:
    """
    Cut tokenised texts into batches whose rows depend on their length alone.

    Longest first, so that no worker starts on a long batch when the others are done.

    Parameters
    ----------
    tokens
        Tokens of each text.
    types
        As many numbers for each text: 0 for tokens of a first text, 1 for those of a second.
    padding_token
        What fills a row up.
    device
        Decides how many tokens a batch holds.
    on_the_left
        Whether the padding comes before the text.
    """
    lengths = np.array([len(row) for row in tokens], dtype=np.int64)
    padded = -(-lengths // TOKENS_PER_LENGTH_STEP) * TOKENS_PER_LENGTH_STEP
    padded = np.clip(padded, TOKENS_PER_LENGTH_STEP, None)
    budget = TOKENS_PER_BATCH.get(device.split(":")[0], TOKENS_PER_BATCH["cuda"])
    for length in np.unique(padded)[::-1]:
        positions = np.flatnonzero(padded == length)
        count = max(1, budget // int(length))
        for start in range(0, len(positions), count):
            members = positions[start : start + count]
            identifiers = np.full((count, length), padding_token)
            mask = np.zeros((count, length), dtype=np.int64)
            kinds = np.zeros((count, length), dtype=np.int64)
            for row in range(count):
                # The last text again and again where there is none: any text will do.
                position = members[min(row, len(members) - 1)]
                text = tokens[position]
                place = slice(length - len(text), None) if on_the_left else slice(len(text))
                identifiers[row, place] = text
                mask[row, place] = 1
                if types is not None:
                    kinds[row, place] = types[position]
            yield Batch(members, identifiers, mask, kinds)


def map_batches(
    work: Callable[[Batch], np.ndarray], given: Sequence[Batch], *, device: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """
    Yield positions of texts and their rows of what `work` returns for a batch.

    On a CPU as many batches are worked on at a time as torch may use threads, elsewhere one.
    """
    workers = 1
    if device.startswith("cpu"):
        import torch

        workers = torch.get_num_threads()
    with (
        one_thread_per_product() as start_worker,
        ThreadPoolExecutor(workers, initializer=start_worker) as pool,
    ):
        for batch, rows in zip(given, pool.map(work, given), strict=True):
            advance(len(batch.members))
            yield batch.members, rows[: len(batch.members)]
