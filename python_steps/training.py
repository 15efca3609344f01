"""
Train a classifier for one layer of the decision, calibrate it and write it down.

A plain loop of torch: AdamW (Loshchilov & Hutter 2019) with a linear warm-up and decay, weighted
cross entropy, early stopping on the average precision of the validation split. Trained are low-rank
adapters (Hu et al. 2021, by peft) in the upper layers, or these layers themselves, and beside the
label, where asked for, to which categories a document belongs (multi-task learning, Caruana 1997).
The weights are averaged over the last steps (Polyak and Juditsky 1992), rounded to what is stored,
and on the validation split calibrated (Platt 1999) and given a threshold.

One batch is cut into parts of few tokens, each on one thread, whose gradients are added in a fixed
order: the same examples, settings and processor give the same weights, however many threads there
are. A run that was killed goes on from its last evaluation with the same result.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import classification, evaluation, transformer
from python_steps.classification import (
    ADAPTER_FILES,
    DESCRIPTION_FILE,
    ENCODER_FILE,
    HEAD_FILE,
    LoadedClassifier,
    Network,
)

if TYPE_CHECKING:
    import torch
    from rich.console import Console

METHODS = ("adapters", "full")

# Tokens of one part of a batch. Few enough for the caches, enough parts to keep the cores busy.
TOKENS_PER_PART = {"cpu": 1024, "cuda": 65_536}
BATCHES_SORTED_AT_ONCE = 50  # texts of like length stand together in batches
EVALUATIONS_PER_EPOCH = 4
MOST_EXAMPLES_PER_EVALUATION = 1500
OUTER_RECALL = 0.98
FEWEST_EXAMPLES = 40  # and of each kind in validation 5
FEWEST_TO_JUDGE_A_LANGUAGE = 100  # validation examples, a tenth of them AI
CHECKPOINT = ("checkpoint.safetensors", "checkpoint.json")
FEWEST_EXAMPLES_OF_A_CATEGORY = 50
# A full fine-tuning forgets what the model knew at the rate that adapters need.
LEARNING_RATE = {"adapters": 1e-3, "full": 5e-5}
# Heads begin with nothing, which no encoder's rate makes up for.
HEAD_RATE = {"adapters": 1, "full": 10}
AVERAGING = 0.99  # what an average keeps of itself at a step, once there were enough steps


class TrainingError(ValueError):
    """Examples or settings that no classifier can be trained with; says why and what to do."""

    exit_code = 3


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
    base_model: str = transformer.PACKAGED_MODEL
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
        Columns document_id, title, abstract, is_ai, split (train, validation), and source_name,
        label_source, stratum and language for the card; with a `category_weight` also categories,
        lists of texts. Rows of other splits are refused.
    folder
        Where to write; a checkpoint lies there until the classifier is finished.
    settings
        What decides the classifier.
    start_from
        Folder of a classifier of the same base model to go on from; adapters go on from adapters
        of the same rank in the same layers.
    precision, device
        As for :func:`classification.load_classifier`; weights that are trained are f32 always.
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
    _check(examples, settings)
    here = transformer.present_device(device)
    precision = transformer.chosen_precision(precision, here)
    settings = replace(
        settings, learning_rate=settings.learning_rate or LEARNING_RATE[settings.method]
    )
    if start_from is not None and start_from.resolve() == folder.resolve():
        message = f"{folder} cannot go on from itself: write to another folder (--output)"
        raise TrainingError(message)
    expected = None if start_from is None else _checked_start(start_from, settings)["base_sha256"]
    base, tokenizer = classification.load_base(settings.base_model, expected)
    base_sha256 = classification.content_hash(base)
    _refuse_longer_texts(settings, base, tokenizer)
    network = _trainable_network(base, settings, start_from)
    if settings.method == "adapters":
        _freeze_in(network, precision)
    network.encoder.to(here)
    network.head.to(here)

    training = examples.filter(pc.equal(examples.column("split"), "train"))
    validation = examples.filter(pc.equal(examples.column("split"), "validation"))
    tokens = _Tokens.of(training, tokenizer, settings)
    version = _digest(examples, settings, base_sha256, start_from, precision)
    make_folder(folder)
    run = _Run(network, tokens, settings, here, precision, folder, version)
    watched = _drawn(validation, MOST_EXAMPLES_PER_EVALUATION)

    def judge(part: pa.Table) -> np.ndarray:
        loaded = LoadedClassifier(network, tokenizer, here, settings.maximum_tokens)
        with run.autocast():
            return loaded.logits(
                part.column("title").to_pylist(), part.column("abstract").to_pylist()
            )

    truth = _truth(watched)
    run.train(lambda: evaluation.average_precision(truth, judge(watched)), report)
    _write_weights(network, settings, folder)
    return _finish(folder, examples, validation, settings, base_sha256, precision, start_from,
                   run.history, command)  # fmt: skip


def make_folder(folder: Path) -> None:
    """Make a folder to write to; raise TrainingError where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made ({error.strerror}): name another --output"
        raise TrainingError(message) from error


def train_and_tell(
    examples: pa.Table,
    folder: Path,
    settings: Settings,
    *,
    start_from: Path | None,
    precision: str,
    device: str,
    command: str,
    console: Console,
) -> Training:
    """
    Train with a progress bar and say what came of it; the parameters are those of :func:`train`.

    An inner layer learns from what the outer layer accepts that lies beside it, or else the
    packaged one, and goes on from its weights where they are of the same kind.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    if settings.layer == "inner":
        beside = folder.parent if any(folder.parent.glob("outer_*")) else None
        outer = classification.load_classifiers(
            str(beside) if beside else classification.PACKAGED,
            layers=["outer"],
            document_types=settings.document_types,
            precision=precision,
            device=device,
        )
        names = " and ".join(
            f"the packaged {Path(each.folder).name}"
            if Path(each.folder).parent == classification.PACKAGED_FOLDER
            else each.folder
            for each in outer
        )
        before = examples.num_rows
        console.print(
            f"Asking {names} which of {before:,} examples it accepts…",
            soft_wrap=True,
            highlight=False,
        )
        examples = pa.concat_tables(
            accepted(
                examples.filter(
                    pc.is_in(examples.column("document_type"), pa.array(each.document_types))
                ),
                each,
            )
            for each in outer
        )
        if start_from is None and len(outer) == 1:
            start_from = _start(outer[0], settings)
    counts = examples.group_by(["split", "is_ai"]).aggregate([([], "count_all")]).sort_by("split")
    for row in counts.to_pylist():
        label = "AI" if row["is_ai"] else "not AI"
        console.print(f"{row['count_all']:,} examples labelled {label} in {row['split']}")
    columns = ("[progress.description]{task.description}", "{task.fields[told]}")
    bars = (TextColumn(columns[0]), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*bars, TextColumn(columns[1]), console=console) as progress:
        task = progress.add_task("Training", total=None, told="")

        def report(step: int, steps: int, last: dict[str, float]) -> None:
            told = f"average precision {last['average_precision']:.3f}" if last else ""
            progress.update(task, completed=step, total=steps, told=told)

        trained = train(
            examples,
            folder,
            settings,
            start_from=start_from,
            precision=precision,
            device=device,
            command=command,
            report=report,
        )
    for name, value in trained.description["validation"].items():
        console.print(f"validation {name.replace('_', ' ')}: {value:.4g}")
    judged = trained.description["validation_by_language"]
    well = trained.description["languages"]
    if judged and not well:
        console.print(
            f"No language is judged well enough, F1 {settings.language_floor} or more on "
            f"{FEWEST_TO_JUDGE_A_LANGUAGE} examples of validation: every document whose language "
            "is known will be refused. Deliver more labels, or look at those that there are.",
            style="yellow",
        )
    else:
        console.print(f"languages that are judged: {', '.join(well) or 'unknown'}")
    console.print(
        f"Written to {folder}. Use it with --vars '{{classifiers: {folder.parent}}}'.",
        soft_wrap=True,
        highlight=False,
    )
    return trained


def _start(outer: classification.Classifier, settings: Settings) -> Path | None:
    """Return the folder of an outer layer, if its weights are such as an inner one goes on from."""
    folder = Path(outer.folder)
    told = classification.read_description(folder)
    same = ("base_model", "method", "adapter_rank", "trained_layers")
    trained = told.get("settings", {})
    is_alike = all(trained.get(name) == getattr(settings, name) for name in same)
    return folder if is_alike else None


def accepted(examples: pa.Table, outer: classification.Classifier) -> pa.Table:
    """Return the examples that an outer layer accepts: those which an inner layer is to judge."""
    logits = outer.logits(
        examples.column("title").to_pylist(), examples.column("abstract").to_pylist()
    )
    return examples.filter(pa.array(outer.probabilities(logits) >= outer.threshold))


def _check(examples: pa.Table, settings: Settings) -> None:
    if settings.method not in METHODS:
        message = f"method must be one of {', '.join(METHODS)}, got {settings.method!r}"
        raise TrainingError(message)
    if settings.layer not in classification.LAYERS:
        message = f"layer must be outer or inner, got {settings.layer!r}"
        raise TrainingError(message)
    unknown = set(examples.column("split").to_pylist()) - {"train", "validation"}
    if unknown:
        message = f"examples of the split {', '.join(sorted(map(str, unknown)))} must not train"
        raise TrainingError(message)
    for split, fewest in (("train", FEWEST_EXAMPLES // 2), ("validation", 5)):
        truth = _truth(examples.filter(pc.equal(examples.column("split"), split)))
        for label, name in ((True, "AI"), (False, "not AI")):
            count = int((truth == label).sum())
            if count < fewest:
                message = (
                    f"{count} examples labelled {name} in the {split} split, and at least {fewest} "
                    "are needed: deliver more labels (--labels), or name more sources"
                )
                raise TrainingError(message)


def _refuse_longer_texts(settings: Settings, base: Any, tokenizer: Any) -> None:  # noqa: ANN401
    """Raise where a text of the length asked for has more tokens than the base model has places."""
    step = transformer.TOKENS_PER_LENGTH_STEP
    most = min(base.config.max_position_embeddings, tokenizer.model_max_length) // step * step
    if settings.maximum_tokens > most:
        message = (
            f"{settings.base_model} reads at most {most} tokens, and --maximum-tokens is "
            f"{settings.maximum_tokens}: lower it"
        )
        raise TrainingError(message)


def _truth(examples: pa.Table) -> np.ndarray:
    return examples.column("is_ai").to_numpy(zero_copy_only=False).astype(bool)


def _drawn(examples: pa.Table, most: int) -> pa.Table:
    """Return at most so many examples, the same for the same ones in any order."""
    names = examples.column("document_id").to_pylist()
    order = sorted(range(len(names)), key=lambda row: hashlib.md5(names[row].encode()).digest())
    return examples.take(pa.array(order[:most], pa.int64()))


# --- the network --------------------------------------------------------------------------------


def _trainable_network(base: torch.nn.Module, settings: Settings, start: Path | None) -> Network:
    """Return a network whose parameters want a gradient where they are to be trained."""
    import torch

    torch.manual_seed(settings.seed)
    if settings.method == "full":
        if start is not None:
            base = classification.with_trained_weights(base, start)
        network = Network(base)
        trained = _upper_layers(base, settings.trained_layers)
        for name, parameter in base.named_parameters():
            parameter.requires_grad = name.startswith(trained)
    else:
        from peft import LoraConfig, PeftModel, get_peft_model

        if start is not None:
            with transformer.quiet_transformers():
                network = Network(PeftModel.from_pretrained(base, str(start), is_trainable=True))
        else:
            adapters = LoraConfig(
                r=settings.adapter_rank,
                lora_alpha=2 * settings.adapter_rank,
                lora_dropout=0.0,
                target_modules=_adapted_modules(base, settings.trained_layers),
            )
            with transformer.quiet_transformers():
                network = Network(get_peft_model(base, adapters))
    if start is not None:
        network.load_head(start / HEAD_FILE)
    return network


def _checked_start(start: Path, settings: Settings) -> dict[str, Any]:
    """Return what a classifier says of itself; raise where training cannot go on from it."""
    told = classification.read_description(start)
    names = ["base_model"]
    if settings.method == "adapters":
        if ADAPTER_FILES[0] not in told["sha256"]:
            message = f"{start} holds no adapters to go on from: train with --method full"
            raise TrainingError(message)
        names += ["adapter_rank", "trained_layers"]
    trained = told.get("settings", {}) | {"base_model": told["base_model"]}
    for name in names:
        if trained.get(name, getattr(settings, name)) != getattr(settings, name):
            message = (
                f"{start} has {name.replace('_', ' ')} {trained[name]}, not "
                f"{getattr(settings, name)}: go on with --{name.replace('_', '-')} {trained[name]}"
            )
            raise TrainingError(message)
    classification.check_files(start, told)
    return told


def _upper_layers(base: torch.nn.Module, trained_layers: int) -> tuple[str, ...]:
    """Return the prefixes of all that is in the upper layers of an encoder."""
    prefixes: dict[int, str] = {}
    for name, _ in base.named_parameters():
        place = re.match(r"(?:.*?\.)?layers?\.(\d+)\.", name)
        if place:
            prefixes[int(place[1])] = place[0]
    if not prefixes:
        message = "the base model has no layers that are known to be trainable: name another one"
        raise TrainingError(message)
    return tuple(prefixes[layer] for layer in sorted(prefixes)[-trained_layers:])


def _adapted_modules(base: torch.nn.Module, trained_layers: int) -> list[str]:
    """Return the names of all linear maps in the upper layers of an encoder."""
    import torch

    upper = _upper_layers(base, trained_layers)
    return [
        name
        for name, module in base.named_modules()
        if name.startswith(upper) and isinstance(module, torch.nn.Linear)
    ]


def _freeze_in(network: Network, precision: str) -> None:
    """Hold weights that are not trained in the precision that products are computed in."""
    import torch

    if precision == "bf16":
        for parameter in network.encoder.parameters():
            if not parameter.requires_grad:
                parameter.data = parameter.data.to(torch.bfloat16)


@dataclass(frozen=True)
class _Tokens:
    """Tokenised examples of training."""

    tokens: list[list[int]]
    types: list[list[int]]
    truth: np.ndarray  # float32
    weights: np.ndarray  # float32
    categories: np.ndarray  # float32[examples, categories], of none where they are not learned
    category_weights: np.ndarray  # float32: 0 for documents that have none
    padding: int

    @classmethod
    def of(cls, examples: pa.Table, tokenizer: Any, settings: Settings) -> _Tokens:  # noqa: ANN401
        tokens, types = classification.tokenised(
            tokenizer,
            examples.column("title").to_pylist(),
            examples.column("abstract").to_pylist(),
            settings.maximum_tokens,
        )
        truth = _truth(examples).astype(np.float32)
        # The rarer class weighs as the square root of its rarity: equal shares would teach that a
        # tenth is a half, and none would let the rare ones be forgotten. Calibration undoes it.
        rarity = math.sqrt((1 - truth.mean()) / truth.mean())
        weights = np.where(truth > 0, rarity, 1.0)
        weights = (weights / weights.mean()).astype(np.float32)
        categories = _categories(examples, settings)
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
        """Cut a batch into parts of at most so many tokens, the longest texts first."""
        lengths = np.array([len(self.tokens[place]) for place in batch])
        order = batch[np.argsort(-lengths, kind="stable")]
        start = 0
        while start < len(order):
            # Few different lengths: matrix kernels are prepared anew for every shape.
            step = transformer.TOKENS_PER_LENGTH_STEP
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
            yield members, transformer.Batch(members, identifiers, mask, types)


def _categories(examples: pa.Table, settings: Settings) -> np.ndarray:
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


class _Run:
    """The loop of training, with its checkpoints."""

    def __init__(
        self,
        network: Network,
        tokens: _Tokens,
        settings: Settings,
        device: str,
        precision: str,
        folder: Path,
        version: str,
    ) -> None:
        import torch

        self.network, self.tokens, self.settings = network, tokens, settings
        self.device, self.precision, self.folder, self.version = device, precision, folder, version
        modules = [("encoder", network.encoder), ("head", network.head)]
        self.category_head = None
        if tokens.categories.size:
            self.category_head = _category_head(tokens.categories, network).to(device)
            modules.append(("category_head", self.category_head))
        self.parameters = {
            f"{prefix}.{name}": parameter
            for prefix, module in modules
            for name, parameter in module.named_parameters()
            if parameter.requires_grad
        }
        groups: list[dict[str, Any]] = [
            {"params": [], "rate": settings.learning_rate},
            {"params": [], "rate": settings.learning_rate * HEAD_RATE[settings.method]},
        ]
        for name, parameter in self.parameters.items():
            groups[not name.startswith("encoder.")]["params"].append(parameter)
        self.optimizer = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
        per_epoch = math.ceil(len(tokens.tokens) / settings.batch_size)
        self.steps = settings.epochs * per_epoch
        self.between = max(1, math.ceil(per_epoch / EVALUATIONS_PER_EPOCH))
        self.step = 0
        self.history: list[dict[str, float]] = []
        self.average = self._weights()
        self.best = self._weights()
        self.losses: list[float] = []

    def autocast(self) -> Any:  # noqa: ANN401
        import torch

        kind = self.device.split(":")[0]
        return torch.autocast(kind, torch.bfloat16, enabled=self.precision == "bf16")

    def train(
        self,
        judge: Callable[[], float],
        report: Callable[[int, int, dict[str, float]], None],
    ) -> None:
        """Run all steps, or until no evaluation is better any more; end with the best weights."""
        self._resume()
        workers = (os.cpu_count() or 1) if self.device.startswith("cpu") else 1
        with (
            transformer.one_thread_per_product() as start_worker,
            ThreadPoolExecutor(workers, initializer=start_worker) as pool,
        ):
            for step, batch in enumerate(self._batches(), start=1):
                if step <= self.step:
                    continue
                if self._is_over():
                    break
                self._take_step(batch, pool)
                if step % self.between == 0 or step == self.steps:
                    self._evaluate(judge)
                report(step, self.steps, self.history[-1] if self.history else {})
        self._put(self.best)

    def _batches(self) -> Iterator[np.ndarray]:
        for epoch in range(self.settings.epochs):
            yield from self.tokens.batches(self.settings.batch_size, self.settings.seed, epoch)

    def _is_over(self) -> bool:
        scores = [entry["average_precision"] for entry in self.history]
        return bool(scores) and len(scores) - 1 - int(np.argmax(scores)) >= self.settings.patience

    def _take_step(self, batch: np.ndarray, pool: ThreadPoolExecutor) -> None:
        import torch

        parameters = list(self.parameters.values())
        budget = TOKENS_PER_PART.get(self.device.split(":")[0], TOKENS_PER_PART["cuda"])

        def gradients(part: tuple[np.ndarray, Any]) -> tuple[float, Sequence[torch.Tensor]]:
            members, texts = part
            with self.autocast():
                vectors = self.network.vectors(texts, self.device)
            loss = loss_of(
                self.network.logits(vectors), self.tokens.truth, self.tokens.weights, members
            )
            if self.category_head is not None:
                loss = loss + loss_of(
                    self.category_head(vectors),
                    self.tokens.categories,
                    self.tokens.category_weights[:, None],
                    members,
                )
            loss = loss / len(batch)
            return loss.item(), torch.autograd.grad(loss, parameters)

        def loss_of(
            logits: torch.Tensor, truth: np.ndarray, weights: np.ndarray, members: np.ndarray
        ) -> torch.Tensor:
            return torch.nn.functional.binary_cross_entropy_with_logits(
                logits,
                torch.from_numpy(truth[members]).to(self.device),
                weight=torch.from_numpy(weights[members]).to(self.device),
                reduction="sum",
            )

        results = list(pool.map(gradients, self.tokens.parts(batch, budget)))
        for place, parameter in enumerate(parameters):
            parameter.grad = sum(found[place] for _, found in results)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = group["rate"] * self._rate()
        self.optimizer.step()
        self.step += 1
        # Over fewer steps at first, or the first weights would stay in it for long.
        kept = min(AVERAGING, (1 + self.step) / (10 + self.step))
        for name, value in self.parameters.items():
            self.average[name].lerp_(value.detach(), 1 - kept)
        self.losses.append(sum(loss for loss, _ in results))

    def _rate(self) -> float:
        """Return the share of the learning rate at this step: up to one, then down to nothing."""
        warm = max(1, round(self.settings.warm_up * self.steps))
        if self.step < warm:
            return (self.step + 1) / warm
        return (self.steps - self.step) / max(1, self.steps - warm)

    def _evaluate(self, judge: Callable[[], float]) -> None:
        now = self._weights()
        self._put(self.average)
        score = judge()
        self._put(now)
        best = max((entry["average_precision"] for entry in self.history), default=-1.0)
        loss = float(np.mean(self.losses)) if self.losses else math.nan
        self.history.append({"step": self.step, "loss": loss, "average_precision": score})
        self.losses.clear()
        if score > best:
            self.best = {name: value.clone() for name, value in self.average.items()}
        self._checkpoint()

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: value.detach().clone() for name, value in self.parameters.items()}

    def _put(self, weights: dict[str, torch.Tensor]) -> None:
        import torch

        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(weights[name])

    def _checkpoint(self) -> None:
        from safetensors.torch import save_file

        tensors = {f"best.{name}": value for name, value in self.best.items()}
        tensors |= {f"average.{name}": value for name, value in self.average.items()}
        tensors |= {f"now.{name}": value for name, value in self._weights().items()}
        for name, parameter in self.parameters.items():
            for moment in ("exp_avg", "exp_avg_sq", "step"):
                tensors[f"{moment}.{name}"] = self.optimizer.state[parameter][moment].clone()
        weights, state = (self.folder / name for name in CHECKPOINT)
        # The state names the weights by their step: a kill between the two leaves no mixture.
        aside = weights.with_suffix(".partial")
        save_file(tensors, aside, metadata={"step": str(self.step), "version": self.version})
        aside.replace(weights)
        told = {"version": self.version, "step": self.step, "history": self.history}
        aside = state.with_suffix(".partial")
        aside.write_text(json.dumps(told))
        aside.replace(state)

    def _resume(self) -> None:
        from safetensors import SafetensorError, safe_open

        weights, state = (self.folder / name for name in CHECKPOINT)
        try:
            told = json.loads(state.read_text())
            with safe_open(weights, framework="pt", device=self.device) as file:
                found = file.metadata()
                if told["version"] != self.version or found != {
                    "step": str(told["step"]),
                    "version": self.version,
                }:
                    return
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, ValueError, KeyError, SafetensorError):
            return
        self.best = {name: tensors[f"best.{name}"] for name in self.parameters}
        self.average = {name: tensors[f"average.{name}"] for name in self.parameters}
        self._put({name: tensors[f"now.{name}"] for name in self.parameters})
        for name, parameter in self.parameters.items():
            self.optimizer.state[parameter] = {
                moment: tensors[f"{moment}.{name}"] for moment in ("step", "exp_avg", "exp_avg_sq")
            }
        # Steps live on the CPU, whatever the device of what they count.
        for entry in self.optimizer.state.values():
            entry["step"] = entry["step"].cpu()
        self.step, self.history = told["step"], told["history"]


def _category_head(categories: np.ndarray, network: Network) -> torch.nn.Module:
    """Return what tells the categories of a vector; at first it says how frequent each is."""
    import torch

    head = torch.nn.Linear(network.head.in_features, categories.shape[1])
    share = torch.from_numpy(categories.mean(0))
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.logit(share, eps=1e-4))
    return head


def _digest(
    examples: pa.Table, settings: Settings, base: str, start: Path | None, precision: str
) -> str:
    """Return a name for everything that decides a training."""
    digest = hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode())
    started = "" if start is None else (start / DESCRIPTION_FILE).read_text(encoding="utf-8")
    digest.update(f"\n{base}\n{precision}\n{started}\n".encode())
    names = ["document_id", "title", "abstract", "is_ai", "split"]
    decisive = examples.select([*names, "categories"] if settings.category_weight else names)
    for batch in decisive.to_batches():
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            digest.update(repr(row).encode())
    return digest.hexdigest()


# --- the folder ---------------------------------------------------------------------------------


def _write_weights(network: Network, settings: Settings, folder: Path) -> None:
    """Write what was trained, in 16 bits where it is adapters."""
    import torch
    from safetensors.torch import save_file

    # The description comes last: a folder without one is no classifier.
    for name in (DESCRIPTION_FILE, *ADAPTER_FILES, ENCODER_FILE):
        (folder / name).unlink(missing_ok=True)
    if settings.method == "full":
        weights = {name: value.contiguous() for name, value in network.encoder.state_dict().items()}
        save_file(weights, folder / ENCODER_FILE)
    else:
        from peft import get_peft_model_state_dict

        adapters = network.encoder.peft_config["default"]
        adapters.base_model_name_or_path = settings.base_model
        adapters.inference_mode = True
        # A set, which every process would write in another order.
        adapters.target_modules = sorted(adapters.target_modules)
        adapters.save_pretrained(str(folder))
        # Told not to look for embeddings, it does not ask the network about the base model.
        weights = get_peft_model_state_dict(network.encoder, save_embedding_layers=False)
        half = {name: value.to(torch.float16).contiguous() for name, value in weights.items()}
        save_file(half, folder / ADAPTER_FILES[1])
    head = {name: value.contiguous() for name, value in network.head.state_dict().items()}
    save_file(head, folder / HEAD_FILE)
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)  # as every other file: safetensors lets nobody else read its own


def _finish(
    folder: Path,
    examples: pa.Table,
    validation: pa.Table,
    settings: Settings,
    base_sha256: str,
    precision: str,
    start: Path | None,
    history: list[dict[str, float]],
    command: str,
) -> Training:
    """Calibrate on what was written, choose the threshold, and describe it all."""
    names = [HEAD_FILE]
    names += [ENCODER_FILE] if settings.method == "full" else list(ADAPTER_FILES)
    description: dict[str, Any] = {
        "layer": settings.layer,
        "document_types": list(settings.document_types),
        "base_model": settings.base_model,
        "base_sha256": base_sha256,
        "maximum_tokens": settings.maximum_tokens,
        "temperature": 1.0,
        "bias": 0.0,
        "threshold": 0.5,
        "languages": [],
        "sha256": {name: _sha256(folder / name) for name in names},
    }
    # By the way it will be used, with the weights as they were stored.
    written = classification.load_classifier(folder, precision=precision, description=description)
    logits = written.logits(
        validation.column("title").to_pylist(), validation.column("abstract").to_pylist()
    )
    truth = _truth(validation)
    try:
        temperature, bias = evaluation.calibration(truth, logits)
    except ValueError as error:
        message = f"{error}: look at the labels, deliver more, or try another --learning-rate"
        raise TrainingError(message) from error
    probabilities = classification.calibrated(logits, temperature, bias)
    threshold = (
        evaluation.threshold_at_best_f1(probabilities)
        if settings.kept_recall is None
        else evaluation.threshold_at_recall(truth, probabilities, settings.kept_recall)
    )
    languages = _languages(validation, truth, probabilities, settings)
    description |= {
        "temperature": temperature,
        "bias": bias,
        "threshold": threshold,
        "languages": [each["language"] for each in languages if each["is_judged_well_enough"]],
        "settings": asdict(settings) | {"recall": settings.kept_recall, "precision": precision},
        "started_from": None if start is None else _ancestor(start),
        "examples": _counts(examples),
        "examples_sha256": _digest(examples, settings, "", None, ""),
        "validation": evaluation.measures(truth, probabilities, threshold),
        "validation_by_language": languages,
        "history": history,
        "command": command,
    }
    _write_description(folder, description)
    (folder / "README.md").write_text(_card(folder.name, description), encoding="utf-8")
    for name in CHECKPOINT:
        (folder / name).unlink(missing_ok=True)
    return Training(folder, description, history)


def _ancestor(folder: Path) -> dict[str, Any]:
    """Return what a classifier that is gone on from was taught, itself and by those before it."""
    told = classification.read_description(folder)
    names = ("command", "examples", "started_from")
    return {"name": folder.name} | {name: told.get(name) for name in names}


def _languages(
    validation: pa.Table, truth: np.ndarray, probabilities: np.ndarray, settings: Settings
) -> list[dict[str, Any]]:
    """Tell how well each language of validation is judged, at the best threshold of all."""
    threshold = evaluation.threshold_at_best_f1(probabilities)
    languages = np.array([each or "" for each in validation.column("language").to_pylist()])
    known = (languages != "").sum()
    told = []
    for language in sorted(set(languages.tolist()) - {""}):
        here = languages == language
        measured = evaluation.measures(truth[here], probabilities[here], threshold)
        enough = here.sum() >= FEWEST_TO_JUDGE_A_LANGUAGE and truth[here].sum() >= here.sum() / 20
        told.append(
            {
                "language": language,
                "examples": int(here.sum()),
                "positives": int(truth[here].sum()),
                "f1": measured["f1"],
                # With few examples the language of most of them is believed, no other.
                "is_judged_well_enough": bool(
                    measured["f1"] >= settings.language_floor if enough else here.sum() > known / 2
                ),
            }
        )
    return told


def _counts(examples: pa.Table) -> list[dict[str, Any]]:
    grouped = examples.group_by(["split", "source_name", "label_source", "is_ai"]).aggregate(
        [([], "count_all")]
    )
    keys = [("split", "ascending"), ("source_name", "ascending"), ("label_source", "ascending"),
            ("is_ai", "ascending")]  # fmt: skip
    return grouped.sort_by(keys).to_pylist()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_description(folder: Path, description: dict[str, Any]) -> None:
    path = folder / DESCRIPTION_FILE
    aside = path.with_suffix(".partial")
    aside.write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    aside.replace(path)


# --- the card -----------------------------------------------------------------------------------


def _card(name: str, told: dict[str, Any]) -> str:
    """Return the model card: what a reader asks before trusting the classifier."""
    stages = list(classification.stages(told))
    commands = "\n".join(
        f"    {stage['command'] or 'python_steps.training.train'}" for stage in stages
    )
    examples = "\n\n".join(_table_of_examples(stage["examples"]) for stage in stages)
    measured = told["validation"]
    kinds = " and ".join(f"{kind}s" for kind in told["document_types"])
    chosen = (
        "has the best expected F1 on validation"
        if told["settings"]["recall"] is None
        else f"is expected to keep {told['settings']['recall']:.0%} of new AI documents"
    )
    languages = "\n".join(
        f"| {row['language']} | {row['examples']:,} | {row['positives']:,} | {row['f1']:.3f} "
        f"| {'yes' if row['is_judged_well_enough'] else 'no'} |"
        for row in told["validation_by_language"]
    )
    files = "\n".join(f"- `{file}` {digest}" for file, digest in sorted(told["sha256"].items()))
    settings = ", ".join(f"{key} {value}" for key, value in sorted(told["settings"].items())
                         if key not in {"layer", "document_types", "base_model"})  # fmt: skip
    figures = ("precision", "recall", "f1", "average_precision", "calibration_error")
    row = " | ".join(f"{measured[figure]:.3f}" for figure in figures)
    return f"""# {name}

Judges whether {kinds} are about AI, in the {told["layer"]} layer of deepinnovation. Fine-tuned from
`{told["base_model"]}` (SHA-256 of its weights {told["base_sha256"][:16]}…) on the records below.
Reads title and abstract, letters only, at most {told["maximum_tokens"]} tokens.

Repeat with:

{commands}

## Validation

Of documents that did not train it, but by which training was stopped, calibrated and thresholded:
temperature {told["temperature"]:.3f}, bias {told["bias"]:.3f}; threshold {told["threshold"]:.4f}
which {chosen}. For figures on documents that decided nothing see the
mart `classifier_evaluation`.

| documents | AI | precision | recall | F1 | average precision | ECE |
|---|---|---|---|---|---|---|
| {measured["documents"]:,} | {measured["positives"]:,} | {row} |

| language | documents | AI | F1 | judged well enough |
|---|---|---|---|---|
{languages}

## Examples

Of each stage of training, the first one first.

{examples}

## Settings

{settings}.

## Files (SHA-256)

{files}
"""


def _table_of_examples(examples: list[dict[str, Any]]) -> str:
    rows = "\n".join(
        f"| {row['split']} | {row['source_name']} | {row['label_source']} "
        f"| {'AI' if row['is_ai'] else 'not AI'} | {row['count_all']:,} |"
        for row in examples
    )
    return f"| split | source | label source | label | documents |\n|---|---|---|---|---|\n{rows}"
