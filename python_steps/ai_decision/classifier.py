"""
Estimate how likely a document is about AI, by a BERT fine-tuned for one layer of the decision.

The outer layer is coarse and keeps nearly all that is AI; the inner layer is fine and reads only
what the outer one accepts. A classifier is a folder: what was trained (low-rank adapters, or all
weights), a head of one linear unit over means of hidden states, and `classifier.json`
with calibration, thresholds, languages and hashes. :mod:`python_steps.ai_decision.training` writes
such folders.

As for embeddings, the result of a document never depends, to the bit, on the documents it is
computed with (see :mod:`python_steps.transformer.batches`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from python_steps import tables
from python_steps.ai_decision.folders import (
    DESCRIPTION_FILE,
    FIELDS,
    OPERATING_POINTS,
    check_files,
    classifier_folders,
    holds_word_filter,
    read_description,
)
from python_steps.ai_decision.network import (
    HEAD_FILE,
    MOST_LAYERS_READ,
    Network,
    load_base,
    tokenised,
    with_trained_weights,
)
from python_steps.errors import ModelError
from python_steps.transformer import batches as transformer_batches
from python_steps.transformer import devices, loaded
from python_steps.transformer.batches import Batch
from python_steps.transformer.devices import present_device

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


LAYERS = ("outer", "inner")
DOCUMENT_TYPES = ("paper", "patent")


PACKAGED = "packaged"  # stands for the folder of the classifiers that come with the project
PACKAGED_FOLDER = Path(__file__).parent / "classifiers"


TEXTS_TOKENISED_AT_ONCE = 4096


@dataclass(frozen=True)
class Classifier:
    """
    What judges the documents of one type in one layer, by description.

    It pickles to some hundred bytes; the model itself is loaded once per process and device.

    Attributes
    ----------
    folder
        Absolute path of the classifier's folder.
    layer
        ``outer`` or ``inner``.
    document_types
        What it was trained to judge: ``paper``, ``patent``, or both.
    model_version
        Name, content hash, precision and maximum tokens: equal versions give equal logits on equal
        hardware.
    encoder_version
        Hash of all that decides the vector before the head: equal ones are computed once.
    precision
        ``f32`` or ``bf16``: what the transformer computes in. Pooling and head are f32.
    maximum_tokens
        Tokens of title and abstract together that are read.
    temperature, bias
        Calibration (Platt 1999): probability = sigmoid(logit / temperature + bias).
    operating_point
        ``balanced`` or ``inclusive``: which of its thresholds counts.
    threshold
        Least probability of a document that the layer accepts.
    languages
        ISO 639-1 codes of the languages in which it judges well enough, by its own validation.
    device
        Where to run, as asked for.
    precision_is_chosen
        Whether the precision was chosen for the processor.
    """

    folder: str
    layer: str
    document_types: tuple[str, ...]
    model_version: str
    encoder_version: str
    precision: str
    maximum_tokens: int
    temperature: float
    bias: float
    operating_point: str
    threshold: float
    languages: tuple[str, ...]
    device: str
    precision_is_chosen: bool = field(compare=False)

    def vectors(self, titles: Sequence[str | None], abstracts: Sequence[str | None]) -> np.ndarray:
        """
        Return what heads read of documents, float32 of shape [documents, layers, hidden size].

        Classifiers of one `encoder_version` give equal vectors. See :meth:`logits`.
        """
        return _loaded(self).vectors(titles, abstracts)

    def logits_of(self, vectors: np.ndarray) -> np.ndarray:
        """Return the scores of documents from their vectors, as :meth:`logits` does."""
        return _loaded(self).logits_of(vectors)

    def logits(self, titles: Sequence[str | None], abstracts: Sequence[str | None]) -> np.ndarray:
        """
        Return the uncalibrated scores of documents.

        Parameters
        ----------
        titles, abstracts
            As many of the one as of the other; None counts as the empty text.

        Returns
        -------
        np.ndarray
            float32 of shape [documents], in nats of log odds.

        Raises
        ------
        ModelError
            When this process has to load the model and cannot, or finds another.
        """
        return self.logits_of(self.vectors(titles, abstracts))

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities of logits: float64 of the same shape, 0 to 1."""
        return calibrated(logits, self.temperature, self.bias)


def calibrated(logits: np.ndarray, temperature: float, bias: float) -> np.ndarray:
    """Return sigmoid(logits / temperature + bias) in float64."""
    return 1 / (1 + np.exp(-(np.asarray(logits, np.float64) / temperature + bias)))


def load_classifiers(
    classifiers: str = PACKAGED,
    *,
    layers: Sequence[str] = LAYERS,
    document_types: Sequence[str] = DOCUMENT_TYPES,
    operating_point: str = "balanced",
    precision: str = "auto",
    device: str = "auto",
) -> list[Classifier]:
    """
    Find a classifier for each of some layers and types of document.

    Parameters
    ----------
    classifiers
        ``packaged``, or a folder whose subfolders are classifiers; the packaged ones stand in for
        what it does not hold.
    layers, document_types
        What to judge.
    operating_point
        ``balanced``: each threshold has the best expected F1; or ``inclusive``: it keeps nearly
        all that is AI. The outer layer always does the latter.
    precision
        ``f32``, ``bf16``, or ``auto``: bf16 where the processor computes in it, else f32.
    device
        As torch names it, or ``auto``.

    Returns
    -------
    list[Classifier]
        Outer before inner, those of papers before those of patents; one that judges both types
        stands there once.

    Raises
    ------
    ModelError
        When a folder is no classifier, two claim the same, or one is missing.
    """
    asked = [(layer, kind) for layer in layers for kind in document_types]
    found: dict[tuple[str, str], Path] = {}
    if classifiers != PACKAGED:
        place = Path(classifiers).expanduser().absolute()
        # Who taught a word filter alone goes on with the packaged classifiers.
        found = _catalogue(place, asked, required=not holds_word_filter(place))
    found = _catalogue(PACKAGED_FOLDER, asked, required=False) | found
    missing = [
        f"{kind}s in the {layer} layer" for layer, kind in asked if (layer, kind) not in found
    ]
    if missing:
        message = f"no classifier for {', '.join(missing)}: train one with `deepinnovation train`"
        raise ModelError(message)
    return [
        load_classifier(folder, operating_point=operating_point, precision=precision, device=device)
        for folder in dict.fromkeys(found[key] for key in asked)
    ]


def _catalogue(
    place: Path, asked: Sequence[tuple[str, str]], *, required: bool = True
) -> dict[tuple[str, str], Path]:
    """Return the folder of each layer and type of document that is asked for and is there."""
    _refuse_unfinished(place, asked)
    found: dict[tuple[str, str], Path] = {}
    for folder in classifier_folders(place, required=required):
        description = read_description(folder)
        layer = description["layer"]
        for kind in description["document_types"]:
            if (layer, kind) not in asked:
                continue
            if (layer, kind) in found:
                message = (
                    f"{folder} and {found[layer, kind]} both judge {kind}s in the {layer} layer: "
                    "keep one of them"
                )
                raise ModelError(message)
            found[layer, kind] = folder
    return found


def _refuse_unfinished(place: Path, asked: Sequence[tuple[str, str]]) -> None:
    """Raise where training of what is asked for has not finished, as another would be used."""
    for layer, kind in asked:
        for begun in (place / f"{layer}_{kind}", place / f"{layer}_both"):
            if begun.is_dir() and not (begun / DESCRIPTION_FILE).is_file():
                message = (
                    f"{begun} holds no finished classifier: let its `deepinnovation train` run to "
                    "the end, or remove the folder"
                )
                raise ModelError(message)


def load_classifier(
    folder: str | Path,
    *,
    operating_point: str = "balanced",
    precision: str = "auto",
    device: str = "auto",
    description: dict[str, Any] | None = None,
) -> Classifier:
    """
    Load one classifier from its folder, once the hashes of its files have been checked.

    Parameters
    ----------
    folder
        Where its files lie.
    operating_point
        As for :func:`load_classifiers`.
    precision, device
        What it computes in and on.
    description
        What its `classifier.json` is to say, of one that is not finished; None reads it.

    Raises
    ------
    ModelError
        When a file is missing or another than was trained, or the base model is, or there is no
        such operating point.
    ValueError
        When `precision` is none of ``f32``, ``bf16`` and ``auto``.
    """
    folder = Path(folder).absolute()
    if description is None:
        description = read_description(folder)
    if operating_point not in OPERATING_POINTS:
        message = f"operating_point must be one of {', '.join(OPERATING_POINTS)}"
        raise ModelError(f"{message}, got {operating_point!r}")
    check_files(folder, description)
    here = present_device(device)
    chosen = devices.chosen_precision(precision, here)
    model, tokenizer = load_base(description["base_model"], description["base_sha256"])
    network = Network(with_trained_weights(model, folder))
    network.load_head(folder / HEAD_FILE)
    limit = int(description["maximum_tokens"])
    digest = _digest({name: description[name] for name in (*FIELDS[:7], "sha256")})
    trained = {name: said for name, said in description["sha256"].items() if name != HEAD_FILE}
    classifier = Classifier(
        folder=str(folder),
        layer=description["layer"],
        document_types=tuple(description["document_types"]),
        model_version=f"{folder.name}/{digest}/{chosen}/{limit}",
        encoder_version=_digest([description["base_sha256"], trained, chosen, limit]),
        precision=chosen,
        maximum_tokens=limit,
        temperature=float(description["temperature"]),
        bias=float(description["bias"]),
        operating_point=operating_point,
        threshold=float(description["thresholds"][operating_point]),
        languages=tuple(description["languages"]),
        device=device,
        precision_is_chosen=precision == "auto",
    )
    network.compute_in(chosen, here)
    loaded.keep(classifier, here, LoadedClassifier(network, tokenizer, here, limit))
    return classifier


def _digest(decisive: Any) -> str:  # noqa: ANN401
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class LoadedClassifier:
    """A network on its device, and the tokeniser of its base model."""

    network: Network
    tokenizer: PreTrainedTokenizerBase
    device: str
    maximum_tokens: int

    def logits(self, titles: Sequence[str | None], abstracts: Sequence[str | None]) -> np.ndarray:
        """Return float32 of shape [documents]."""
        return self.logits_of(self.vectors(titles, abstracts))

    def logits_of(self, vectors: np.ndarray) -> np.ndarray:
        """Return what the head says of vectors: float32 of shape [documents]."""
        import torch

        with torch.inference_mode():
            return self.network.logits(torch.from_numpy(vectors).to(self.device)).cpu().numpy()

    def vectors(self, titles: Sequence[str | None], abstracts: Sequence[str | None]) -> np.ndarray:
        """Return float32 of shape [documents, layers, hidden size]."""
        import torch

        def forward(batch: Batch) -> np.ndarray:
            with torch.inference_mode():
                return self.network.vectors(batch, self.device).cpu().numpy()

        configuration = self.network.encoder.config
        layers = min(MOST_LAYERS_READ, configuration.num_hidden_layers + 1)
        results = np.empty((len(titles), layers, configuration.hidden_size), dtype=np.float32)
        # Chunks bound the memory of token lists; they decide no result.
        for start in range(0, len(titles), TEXTS_TOKENISED_AT_ONCE):
            part = slice(start, start + TEXTS_TOKENISED_AT_ONCE)
            tokens, types = tokenised(
                self.tokenizer, titles[part], abstracts[part], self.maximum_tokens
            )
            batches = transformer_batches.batches(
                tokens,
                types,
                padding_token=self.tokenizer.pad_token_id,
                device=self.device,
                on_the_left=self.tokenizer.padding_side == "left",
            )
            for members, rows in transformer_batches.map_batches(
                forward, list(batches), device=self.device
            ):
                results[start + members] = rows
        return results


def _loaded(classifier: Classifier) -> LoadedClassifier:
    return loaded.loaded(classifier, present_device(classifier.device), _loaded_again)


def _loaded_again(classifier: Classifier) -> LoadedClassifier:
    def load(precision: str) -> Classifier:
        return load_classifier(
            classifier.folder,
            operating_point=classifier.operating_point,
            precision=precision,
            device=classifier.device,
        )

    return _loaded(loaded.reloaded(classifier, load))


def describe(classifiers: Sequence[Classifier]) -> pa.Table:
    """Return rows of :data:`tables.CLASSIFIERS`: one per layer and type of document."""
    rows = [
        {
            "layer": classifier.layer,
            "document_type": kind,
            "model_version": classifier.model_version,
            "operating_point": classifier.operating_point,
            "threshold": classifier.threshold,
            "languages": list(classifier.languages),
            "precision": classifier.precision,
            "maximum_tokens": classifier.maximum_tokens,
        }
        for classifier in classifiers
        for kind in classifier.document_types
    ]
    return pa.Table.from_pylist(rows, schema=tables.CLASSIFIERS)


def versions(classifiers: Sequence[Classifier]) -> str:
    """Name all that judges both layers, for checkpoints."""
    return " ".join(each.model_version for each in classifiers)
