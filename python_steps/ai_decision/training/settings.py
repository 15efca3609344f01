"""What to train, and what came of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from python_steps.transformer import weights

METHODS = ("adapters", "full", "head")
RECALL = {"outer": 0.98, "inner": 0.95}


# A full fine-tuning forgets what the model knew at the rate that adapters need.
LEARNING_RATE = {"adapters": 1e-3, "full": 5e-5}


# Heads begin with nothing, which no encoder's rate makes up for.
HEAD_RATE = {"adapters": 1, "full": 10}
WEIGHT_DECAY = 0.01
WARM_UP = 0.1  # share of all steps
PATIENCE = 4  # evaluations without a better average precision before training stops


# F1 on validation at which a language counts as judged well enough.
LANGUAGE_FLOOR = 0.7


@dataclass(frozen=True)
class Settings:
    """
    What decides a classifier besides its examples.

    Attributes
    ----------
    layer
        ``outer`` (its threshold keeps a recall) or ``inner`` (one threshold has the best expected
        F1, the other keeps a recall).
    document_types
        What the classifier is for.
    for_languages
        ISO 639-1 codes of the languages it is for: only examples in them calibrate it, set its
        thresholds and judge it, whatever it learns from. Empty: all that it learns from.
    base_model
        Name or folder of the BERT to start from.
    method
        ``adapters`` (low-rank, small to store), ``full`` (all weights of the trained layers), or
        ``head`` (the linear unit on top of the base model, or of the encoder of a classifier that
        is trained).
    adapter_rank
        Rank of the adapters; twice that is their scale.
    trained_layers
        Upper layers of the encoder that are trained; 0: all of them. The vectors of words stay.
    maximum_tokens
        Tokens of title and abstract together.
    epochs, batch_size, learning_rate
        As the literature names them.
    category_weight
        Weight of predicting the categories of a document, beside its label; 0: none. Only the
        encoder learns from it: the head that predicts categories is not kept.
    recall
        Share of AI documents that the threshold must keep: the only one of the outer layer, the
        inclusive one of the inner layer. None: that of the layer in `RECALL`.
    seed
        Decides the order of the examples and the first weights of adapters.
    """

    layer: str
    document_types: tuple[str, ...]
    for_languages: tuple[str, ...] = ()
    base_model: str = weights.PACKAGED_MODEL
    method: str = "adapters"
    adapter_rank: int = 8
    trained_layers: int = 3
    maximum_tokens: int = 256
    epochs: int = 2
    batch_size: int = 32
    learning_rate: float | None = None
    category_weight: float = 0.0
    recall: float | None = None
    seed: int = 42

    @property
    def kept_recall(self) -> float:
        """The share of AI documents that the threshold of a recall keeps."""
        return RECALL[self.layer] if self.recall is None else self.recall

    def described(self) -> dict[str, Any]:
        """Return all that decides a training besides its examples, constants included."""
        constants = {
            "weight_decay": WEIGHT_DECAY,
            "warm_up": WARM_UP,
            "patience": PATIENCE,
            "language_floor": LANGUAGE_FLOOR,
        }
        return asdict(self) | constants


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
