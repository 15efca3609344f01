"""What to train, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_steps.transformer import weights

METHODS = ("adapters", "full")
OUTER_RECALL = 0.98


# A full fine-tuning forgets what the model knew at the rate that adapters need.
LEARNING_RATE = {"adapters": 1e-3, "full": 5e-5}


# Heads begin with nothing, which no encoder's rate makes up for.
HEAD_RATE = {"adapters": 1, "full": 10}


@dataclass(frozen=True)
class Settings:
    """
    What decides a classifier besides its examples.

    Attributes
    ----------
    layer
        ``outer`` (threshold at a recall) or ``inner`` (threshold at the best expected F1, or at a
        recall).
    document_types
        What the classifier is for.
    base_model
        Name or folder of the BERT to start from.
    method
        ``adapters`` (low-rank, small to store) or ``full`` (all weights of the trained layers).
    adapter_rank
        Rank of the adapters; twice that is their scale.
    trained_layers
        Upper layers of the encoder that are trained; 0: all of them. The vectors of words stay.
    maximum_tokens
        Tokens of title and abstract together.
    epochs, batch_size, learning_rate, weight_decay, warm_up
        As the literature names them; the share of warm-up is of all steps.
    patience
        Evaluations without a better average precision before training stops; four an epoch.
    category_weight
        What it counts to tell the categories of a document, beside its label; 0: nothing. Only
        the encoder learns from it: what tells the categories is not kept.
    recall
        Share of AI documents that the threshold is to keep. None: `OUTER_RECALL`, and in the inner
        layer what gives the best expected F1.
    language_floor
        F1 on validation from which on a language counts as judged well enough.
    seed
        Decides the order of the examples and the first weights of adapters.
    """

    layer: str
    document_types: tuple[str, ...]
    base_model: str = weights.PACKAGED_MODEL
    method: str = "adapters"
    adapter_rank: int = 8
    trained_layers: int = 3
    maximum_tokens: int = 256
    epochs: int = 2
    batch_size: int = 32
    learning_rate: float | None = None
    weight_decay: float = 0.01
    warm_up: float = 0.1
    patience: int = 4
    category_weight: float = 0.0
    recall: float | None = None
    language_floor: float = 0.7
    seed: int = 42

    @property
    def kept_recall(self) -> float | None:
        """The recall that decides the threshold; None where the best expected F1 does."""
        return OUTER_RECALL if self.recall is None and self.layer == "outer" else self.recall


@dataclass(frozen=True)
class Training:
    """
    A trained classifier and how it came to be.

    Attributes
    ----------
    folder
        Where it lies.
    description
        What its `classifier.json` says.
    history
        Per evaluation: step, loss since the last one, average precision on validation.
    """

    folder: Path
    description: dict[str, Any]
    history: list[dict[str, float]]
