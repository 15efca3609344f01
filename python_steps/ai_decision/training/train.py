"""
Train a classifier for one layer of the decision, calibrate it and write it to a folder.

A plain loop of torch: AdamW (Loshchilov & Hutter 2019) with a linear warm-up and decay, weighted
cross entropy, early stopping on the average precision of the validation split. Trained are low-rank
adapters (Hu et al. 2021, by peft) in the upper layers, or these layers themselves, and beside the
label, where asked for, to which categories a document belongs (multi-task learning, Caruana 1997).
The weights are averaged over the last steps (Polyak and Juditsky 1992), rounded to what is stored,
and on the validation split calibrated (Platt 1999) and given a threshold.

One batch is cut into parts of few tokens, each on one thread, whose gradients are added in a fixed
order: the same examples, settings and processor give the same weights, however many threads there
are. A run that was killed continues from its last evaluation with the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.ai_decision.classifier import LoadedClassifier
from python_steps.ai_decision.evaluation import measures
from python_steps.ai_decision.folders import read_description
from python_steps.ai_decision.network import (
    Network,
    content_hash,
    load_base,
    with_trained_weights,
)
from python_steps.ai_decision.training.batches import Tokens
from python_steps.ai_decision.training.examples import (
    check_examples,
    draw_examples,
    refuse_longer_texts,
    truth_of,
)
from python_steps.ai_decision.training.folder import (
    finish_folder,
    make_folder,
    run_digest,
    write_weights,
)
from python_steps.ai_decision.training.head import train_head, write_head_on
from python_steps.ai_decision.training.layers import checked_start, freeze_in, trainable_network
from python_steps.ai_decision.training.loop import Run
from python_steps.ai_decision.training.settings import LEARNING_RATE, Settings, Training
from python_steps.errors import TrainingError
from python_steps.transformer import devices

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MOST_EXAMPLES_PER_EVALUATION = 1500


def train(
    examples: pa.Table,
    folder: Path,
    settings: Settings,
    *,
    start_from: Path | None = None,
    precision: str = "auto",
    device: str = "auto",
    command: str = "",
    report: Callable[[int, int, dict[str, float]], None] = lambda *_: None,
) -> Training:
    """
    Train, calibrate, and write the folder of a classifier.

    The cost of a step is that of one pass of the encoder forward, and of two through the layers
    that are trained (one where adapters leave their own weights).

    Parameters
    ----------
    examples
        Columns document_id, title, abstract, is_ai, label_confidence and sampling_weight (null
        where not said), split (train, validation), and source_name, label_source, stratum and
        language for the card; with a `category_weight` also categories,
        lists of texts. Rows of other splits are refused.
    folder
        Where to write; a checkpoint lies there until the classifier is finished.
    settings
        What decides the classifier.
    start_from
        Folder of a classifier of the same base model to go on from; adapters go on from adapters
        of the same rank in the same layers. A head alone is trained on its encoder, or on the base
        model as it is.
    precision, device
        As for :func:`classifier.load_classifier`; weights that are trained are f32 always.
    command
        What to put on the card as the way to repeat it.
    report
        Called with finished steps, all steps, and the last of the history.

    Raises
    ------
    TrainingError
        When there are too few examples of a kind, or some of the test split, or no categories where
        they are to be learned, or the classifier to start from is of another kind.
    ModelError
        When the base model or the classifier to start from cannot be loaded, or is another than
        was trained.
    """
    check_examples(examples, settings)
    here = devices.present_device(device)
    precision = devices.chosen_precision(precision, here)
    if start_from is not None and start_from.resolve() == folder.resolve():
        message = f"{folder} cannot start from its own output: choose another --output"
        raise TrainingError(message)
    training = examples.filter(pc.equal(examples.column("split"), "train"))
    validation = examples.filter(pc.equal(examples.column("split"), "validation"))
    if settings.method == "head":
        settings = _settings_of_head(start_from, settings)
        network, tokenizer, base_sha256 = _encoder(start_from, settings, precision, here)
        loaded = LoadedClassifier(network, tokenizer, here, settings.maximum_tokens)
        told, left_out = train_head(loaded, training)
        make_folder(folder)
        write_head_on(start_from, loaded, folder)
        return finish_folder(folder, examples, (training, left_out), settings, base_sha256,
                             precision, start_from, [told], command)  # fmt: skip
    settings = replace(
        settings, learning_rate=settings.learning_rate or LEARNING_RATE[settings.method]
    )
    network, tokenizer, base_sha256 = _loaded_network(settings, start_from, precision, here)
    tokens = Tokens.of(training, tokenizer, settings)
    version = run_digest(examples, settings, base_sha256, start_from, precision)
    make_folder(folder)
    run = Run(network, tokens, settings, here, precision, folder, version)
    watched = draw_examples(validation, MOST_EXAMPLES_PER_EVALUATION)

    def judge(part: pa.Table) -> np.ndarray:
        loaded = LoadedClassifier(network, tokenizer, here, settings.maximum_tokens)
        with run.autocast():
            return loaded.logits(
                part.column("title").to_pylist(), part.column("abstract").to_pylist()
            )

    truth = truth_of(watched)
    run.train(lambda: measures.average_precision(truth, judge(watched)), report)
    write_weights(network, settings, folder)
    return finish_folder(folder, examples, None, settings, base_sha256, precision, start_from,
                         run.history, command)  # fmt: skip


def _settings_of_head(start: Path | None, settings: Settings) -> Settings:
    """Return settings that are those of the classifier whose encoder a head is trained on."""
    if start is None:
        return settings
    description = checked_start(start, settings)
    names = ("base_model", "maximum_tokens")
    return replace(settings, **{name: description[name] for name in names})


def _encoder(
    start: Path | None, settings: Settings, precision: str, device: str
) -> tuple[Network, PreTrainedTokenizerBase, str]:
    """Return the network below a head, as it is used; its tokenizer; and the hash of its base."""
    expected = None if start is None else read_description(start)["base_sha256"]
    base, tokenizer = load_base(settings.base_model, expected)
    refuse_longer_texts(settings, base, tokenizer)
    base_sha256 = expected or content_hash(base)
    network = Network(base if start is None else with_trained_weights(base, start))
    network.compute_in(precision, device)
    return network, tokenizer, base_sha256


def _loaded_network(
    settings: Settings, start_from: Path | None, precision: str, device: str
) -> tuple[Network, PreTrainedTokenizerBase, str]:
    """Return the network to train, on its device; its tokenizer; and the hash of its base model."""
    expected = None if start_from is None else checked_start(start_from, settings)["base_sha256"]
    base, tokenizer = load_base(settings.base_model, expected)
    base_sha256 = content_hash(base)
    refuse_longer_texts(settings, base, tokenizer)
    network = trainable_network(base, settings, start_from)
    if settings.method == "adapters":
        freeze_in(network, precision)
    network.encoder.to(device)
    network.head.to(device)
    return network, tokenizer, base_sha256
