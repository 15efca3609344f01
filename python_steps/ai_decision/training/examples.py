"""Check, filter and count the examples that a classifier is trained on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.ai_decision import classifier
from python_steps.ai_decision.training.settings import METHODS, Settings
from python_steps.engine.progress import with_progress
from python_steps.errors import TrainingError
from python_steps.transformer import batches

FEWEST_EXAMPLES = 40  # and of each kind in validation 5
FEWEST_EXAMPLES_OF_A_CATEGORY = 50
LEAST_CONFIDENCE = 0.2


def accepted(examples: pa.Table, outer: classifier.Classifier) -> pa.Table:
    """Return the examples that an outer layer accepts, which an inner layer judges next."""
    logits = outer.logits(
        examples.column("title").to_pylist(), examples.column("abstract").to_pylist()
    )
    return examples.filter(pa.array(outer.probabilities(logits) >= outer.threshold))


def inner_examples(examples: pa.Table, outer: Sequence[classifier.Classifier]) -> pa.Table:
    """Return the examples that an inner layer learns from: each accepted by its outer layer."""
    kinds = examples.column("document_type")
    parts = [examples.filter(pc.is_in(kinds, pa.array(each.document_types))) for each in outer]
    reported = with_progress(
        parts, total=examples.num_rows, size=len, description="classify examples", unit="examples"
    )
    return pa.concat_tables(
        accepted(part, each) for part, each in zip(reported, outer, strict=True)
    )


def check_examples(examples: pa.Table, settings: Settings) -> None:
    """Raise TrainingError where settings or examples are such that nothing can be learned."""
    if settings.method not in METHODS:
        message = f"method must be one of {', '.join(METHODS)}, got {settings.method!r}"
        raise TrainingError(message)
    if settings.layer not in classifier.LAYERS:
        message = f"layer must be outer or inner, got {settings.layer!r}"
        raise TrainingError(message)
    unknown = set(examples.column("split").to_pylist()) - {"train", "validation"}
    if unknown:
        message = f"examples of the split {', '.join(sorted(map(str, unknown)))} must not train"
        raise TrainingError(message)
    for split, fewest in (("train", FEWEST_EXAMPLES // 2), ("validation", 5)):
        there = examples.filter(pc.equal(examples.column("split"), split))
        if split == "validation" and settings.for_languages:
            is_its_own = pc.is_in(there.column("language"), pa.array(settings.for_languages))
            there = there.filter(is_its_own)
            split += f" split, in the language {' or '.join(settings.for_languages)}"
        else:
            split += " split"
        truth = truth_of(there)
        for label, name in ((True, "AI"), (False, "not AI")):
            count = int((truth == label).sum())
            if count < fewest:
                message = (
                    f"{count} examples labelled {name} in the {split}, and at least {fewest} are "
                    "needed: deliver more labels (--labels), or name more sources or languages "
                    "(--source, --language)"
                )
                raise TrainingError(message)


def refuse_longer_texts(settings: Settings, base: Any, tokenizer: Any) -> None:  # noqa: ANN401
    """Raise where a text of the length asked for has more tokens than the base model has places."""
    step = batches.TOKENS_PER_LENGTH_STEP
    most = min(base.config.max_position_embeddings, tokenizer.model_max_length) // step * step
    if settings.maximum_tokens > most:
        message = (
            f"{settings.base_model} reads at most {most} tokens, and --maximum-tokens is "
            f"{settings.maximum_tokens}: lower it"
        )
        raise TrainingError(message)


def truth_of(examples: pa.Table) -> np.ndarray:
    """Return the labels of examples: bool of shape [examples]."""
    return examples.column("is_ai").to_numpy(zero_copy_only=False).astype(bool)


def confidence_of(examples: pa.Table) -> np.ndarray:
    """
    Return how much the label of each example counts: float64 of shape [examples].

    A label of confidence c counts as much as the surplus of experts who would agree, 2c - 1, but at
    least `LEAST_CONFIDENCE`: a doubtful label still says more than none. A label whose confidence
    is not known counts in full.
    """
    said = pc.fill_null(examples.column("label_confidence"), 1.0).to_numpy(zero_copy_only=False)
    return np.maximum(2 * said - 1, LEAST_CONFIDENCE)


def weights_of(examples: pa.Table) -> np.ndarray:
    """Return how many documents each example stands for: float64 of shape [examples]."""
    return pc.fill_null(examples.column("sampling_weight"), 1.0).to_numpy(zero_copy_only=False)


def draw_examples(examples: pa.Table, most: int) -> pa.Table:
    """Return at most `most` examples; their order does not change which."""
    names = examples.column("document_id").to_pylist()
    order = sorted(range(len(names)), key=lambda row: hashlib.md5(names[row].encode()).digest())
    return examples.take(pa.array(order[:most], pa.int64()))


def categories_of(examples: pa.Table, settings: Settings) -> np.ndarray:
    """Return which frequent categories each example has: float32[examples, categories]."""
    if not settings.category_weight:
        return np.zeros((examples.num_rows, 0), np.float32)
    lists = examples.column("categories").to_pylist()
    counts = Counter(category for each in lists for category in set(each or ()))
    frequent = sorted(
        name for name, count in counts.items() if count >= FEWEST_EXAMPLES_OF_A_CATEGORY
    )
    if not frequent:
        message = (
            f"no category is on {FEWEST_EXAMPLES_OF_A_CATEGORY} of the documents to learn from: "
            "deliver categories (codes of patents), name sources that have them, or leave "
            "--category-weight out"
        )
        raise TrainingError(message)
    places = {name: place for place, name in enumerate(frequent)}
    found = np.zeros((examples.num_rows, len(frequent)), np.float32)
    for row, each in enumerate(lists):
        found[row, [places[name] for name in each or () if name in places]] = 1
    return found


def example_counts(examples: pa.Table) -> list[dict[str, Any]]:
    """Count examples by split, source, label source and label."""
    grouped = examples.group_by(["split", "source_name", "label_source", "is_ai"]).aggregate(
        [([], "count_all")]
    )
    keys = [("split", "ascending"), ("source_name", "ascending"), ("label_source", "ascending"),
            ("is_ai", "ascending")]  # fmt: skip
    return grouped.sort_by(keys).to_pylist()
