"""Tokens of the training examples, in batches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from python_steps.ai_decision import network
from python_steps.ai_decision.training.examples import categories_of, confidence_of, truth_of
from python_steps.ai_decision.training.settings import Settings
from python_steps.transformer.batches import TOKENS_PER_LENGTH_STEP, Batch

# Tokens of one part of a batch. Few enough for the caches, enough parts to keep the cores busy.
TOKENS_PER_PART = {"cpu": 1024, "cuda": 65_536}
BATCHES_SORTED_AT_ONCE = 50  # texts of like length stand together in batches


@dataclass(frozen=True)
class Tokens:
    """Tokenised examples of training."""

    tokens: list[list[int]]
    types: list[list[int]]
    truth: np.ndarray  # float32
    weights: np.ndarray  # float32
    categories: np.ndarray  # float32[examples, categories], of none where they are not learned
    category_weights: np.ndarray  # float32: 0 for documents that have none
    padding: int

    @classmethod
    def of(cls, examples: pa.Table, tokenizer: Any, settings: Settings) -> Tokens:  # noqa: ANN401
        """Tokenise examples and weight them, by confidence and so that the rarer class counts."""
        tokens, types = network.tokenised(
            tokenizer,
            examples.column("title").to_pylist(),
            examples.column("abstract").to_pylist(),
            settings.maximum_tokens,
        )
        truth = truth_of(examples).astype(np.float32)
        # The rarer class weighs as the square root of its rarity: equal shares would teach that a
        # tenth is a half, and none would let the rare ones be forgotten. Calibration undoes it.
        rarity = math.sqrt((1 - truth.mean()) / truth.mean())
        weights = np.where(truth > 0, rarity, 1.0) * confidence_of(examples)
        weights = (weights / weights.mean()).astype(np.float32)
        categories = categories_of(examples, settings)
        has_some = categories.any(1) * np.float32(settings.category_weight)
        return cls(
            tokens, types, truth, weights, categories, has_some.astype(np.float32),
            tokenizer.pad_token_id,
        )  # fmt: skip

    def batches(self, size: int, seed: int, epoch: int) -> list[np.ndarray]:
        """Return the positions of each batch of an epoch: random, and of like lengths."""
        random = np.random.default_rng([seed, epoch])
        lengths = np.array([len(row) for row in self.tokens])
        order = random.permutation(len(lengths))
        pool = size * BATCHES_SORTED_AT_ONCE
        batches = []
        for start in range(0, len(order), pool):
            part = order[start : start + pool]
            part = part[np.argsort(lengths[part], kind="stable")]
            batches += [part[first : first + size] for first in range(0, len(part), size)]
        return [batches[place] for place in random.permutation(len(batches))]

    def parts(self, batch: np.ndarray, budget: int) -> Iterator[tuple[np.ndarray, Any]]:
        """Cut a batch into parts of at most `budget` tokens, the longest texts first."""
        lengths = np.array([len(self.tokens[place]) for place in batch])
        order = batch[np.argsort(-lengths, kind="stable")]
        start = 0
        while start < len(order):
            # Few different lengths: matrix kernels are prepared for every shape.
            step = TOKENS_PER_LENGTH_STEP
            length = -(-len(self.tokens[order[start]]) // step) * step
            members = order[start : start + max(1, budget // length)]
            start += len(members)
            shape = (len(members), length)
            identifiers = np.full(shape, self.padding, dtype=np.int64)
            mask, types = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
            for row, place in enumerate(members):
                size = len(self.tokens[place])
                identifiers[row, :size] = self.tokens[place]
                types[row, :size] = self.types[place]
                mask[row, :size] = 1
            yield members, Batch(members, identifiers, mask, types)
