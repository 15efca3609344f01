"""Write the folder of a trained classifier."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.ai_decision import calibration, classifier
from python_steps.ai_decision.evaluation import measures
from python_steps.ai_decision.folders import (
    DESCRIPTION_FILE,
    OPERATING_POINTS,
    read_description,
)
from python_steps.ai_decision.network import ADAPTER_FILES, ENCODER_FILE, HEAD_FILE, Network
from python_steps.ai_decision.training.card import write_card
from python_steps.ai_decision.training.examples import example_counts, truth_of, weights_of
from python_steps.ai_decision.training.settings import LANGUAGE_FLOOR, Settings, Training
from python_steps.engine.files import written_whole
from python_steps.errors import TrainingError

FEWEST_TO_JUDGE_A_LANGUAGE = 100  # validation examples, a tenth of them AI
CHECKPOINT = ("checkpoint.safetensors", "checkpoint.json")


def make_folder(folder: Path) -> None:
    """Make a folder to write to; raise TrainingError where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made ({error.strerror}): name another --output"
        raise TrainingError(message) from error


def run_digest(
    examples: pa.Table, settings: Settings, base: str, start: Path | None, precision: str
) -> str:
    """Return a name for everything that decides a training."""
    digest = hashlib.sha256(json.dumps(settings.described(), sort_keys=True).encode())
    started = "" if start is None else (start / DESCRIPTION_FILE).read_text(encoding="utf-8")
    digest.update(f"\n{base}\n{precision}\n{started}\n".encode())
    names = ["document_id", "title", "abstract", "is_ai", "label_confidence", "split"]
    decisive = examples.select([*names, "categories"] if settings.category_weight else names)
    for batch in decisive.to_batches():
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            digest.update(repr(row).encode())
    return digest.hexdigest()


def write_weights(network: Network, settings: Settings, folder: Path) -> None:
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
    write_head(network, folder)
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)  # as every other file: safetensors lets nobody else read its own


def write_head(network: Network, folder: Path) -> None:
    """Write the head of a network."""
    from safetensors.torch import save_file

    head = {name: value.contiguous() for name, value in network.head.state_dict().items()}
    save_file(head, folder / HEAD_FILE)
    (folder / HEAD_FILE).chmod(0o644)  # as every other file: safetensors lets nobody else read it


def finish_folder(
    folder: Path,
    examples: pa.Table,
    left_out: tuple[pa.Table, np.ndarray] | None,
    settings: Settings,
    base_sha256: str,
    precision: str,
    start: Path | None,
    history: list[dict[str, float]],
    command: str,
) -> Training:
    """
    Calibrate on the validation split, choose the thresholds, and describe it all.

    `left_out` are further examples with logits of a fit that left them out: a head has so few that
    validation alone would leave its thresholds to chance.
    """
    description = _uncalibrated(folder, settings, base_sha256)
    # Loaded as it will be used, with the weights as they were stored.
    written = classifier.load_classifier(folder, precision=precision, description=description)
    validation = examples.filter(pc.equal(examples.column("split"), "validation"))
    logits = written.logits(
        validation.column("title").to_pylist(), validation.column("abstract").to_pylist()
    )
    if left_out is not None:
        validation = pa.concat_tables([validation, left_out[0]])
        logits = np.concatenate([logits, left_out[1]]).astype(np.float32)
    validation, logits = _of_its_languages(validation, logits, settings)
    truth = truth_of(validation)
    stands_for = weights_of(validation)
    temperature, bias = _calibration(truth, logits)
    probabilities = classifier.calibrated(logits, temperature, bias)
    thresholds = _thresholds(truth, probabilities, stands_for, settings)
    languages = languages_judged(
        validation, truth, probabilities, stands_for, is_for_all=not settings.for_languages
    )
    description |= {
        "temperature": temperature,
        "bias": bias,
        "thresholds": thresholds,
        "languages": [each["language"] for each in languages if each["is_judged_well_enough"]],
        "settings": settings.described() | {"recall": settings.kept_recall, "precision": precision},
        "started_from": None if start is None else _ancestor(start),
        "examples": example_counts(examples),
        "examples_sha256": run_digest(examples, settings, "", None, ""),
        "validation": {
            point: measures.measures_of(
                truth, probabilities >= threshold, probabilities, stands_for
            )
            for point, threshold in thresholds.items()
        },
        "validation_by_language": languages,
        "history": history,
        "command": command,
    }
    write_json(folder / DESCRIPTION_FILE, description)
    (folder / "README.md").write_text(write_card(folder.name, description), encoding="utf-8")
    for name in CHECKPOINT:
        (folder / name).unlink(missing_ok=True)
    return Training(folder, description, history)


def _of_its_languages(
    validation: pa.Table, logits: np.ndarray, settings: Settings
) -> tuple[pa.Table, np.ndarray]:
    """Return the examples that judge a classifier, and their logits."""
    if not settings.for_languages:
        return validation, logits
    is_its_own = pc.is_in(validation.column("language"), pa.array(settings.for_languages))
    return validation.filter(is_its_own), logits[is_its_own.to_numpy(zero_copy_only=False)]


def _uncalibrated(folder: Path, settings: Settings, base_sha256: str) -> dict[str, Any]:
    """Return what a classifier says of itself before it is calibrated."""
    names = [HEAD_FILE]
    encoder = [ENCODER_FILE, *ADAPTER_FILES]
    names += [name for name in encoder if (folder / name).is_file()]
    return {
        "layer": settings.layer,
        "document_types": list(settings.document_types),
        "base_model": settings.base_model,
        "base_sha256": base_sha256,
        "maximum_tokens": settings.maximum_tokens,
        "temperature": 1.0,
        "bias": 0.0,
        "thresholds": dict.fromkeys(OPERATING_POINTS, 0.5),
        "languages": [],
        "sha256": {name: sha256_of(folder / name) for name in names},
    }


def _calibration(truth: np.ndarray, logits: np.ndarray) -> tuple[float, float]:
    """Return temperature and bias; raise where the labels allow no calibration."""
    try:
        return calibration.calibration(truth, logits)
    except ValueError as error:
        message = f"{error}: look at the labels, deliver more, or try another --learning-rate"
        raise TrainingError(message) from error


def _thresholds(
    truth: np.ndarray, probabilities: np.ndarray, stands_for: np.ndarray, settings: Settings
) -> dict[str, float]:
    """Return the threshold of each operating point."""
    kept = calibration.threshold_at_recall(truth, probabilities, settings.kept_recall, stands_for)
    if settings.layer == "outer":
        return dict.fromkeys(OPERATING_POINTS, kept)
    best = calibration.threshold_at_best_f1(probabilities, stands_for)
    # A classifier that parts both kinds well keeps the recall at a higher threshold, too.
    return {"balanced": best, "inclusive": min(best, kept)}


def _ancestor(folder: Path) -> dict[str, Any]:
    """Return how a classifier to start from was trained, and how those before it were."""
    description = read_description(folder)
    names = ("command", "examples", "started_from")
    return {"name": folder.name} | {name: description.get(name) for name in names}


def languages_judged(
    validation: pa.Table,
    truth: np.ndarray,
    probabilities: np.ndarray,
    stands_for: np.ndarray,
    *,
    is_for_all: bool = True,
) -> list[dict[str, Any]]:
    """
    Measure each language of validation, at the best threshold of all.

    A classifier for all languages is believed in that of most of its examples even where they are
    few; one for some languages has to show what it is worth in each.
    """
    threshold = calibration.threshold_at_best_f1(probabilities, stands_for)
    languages = np.array([each or "" for each in validation.column("language").to_pylist()])
    known = (languages != "").sum()
    rows = []
    for language in sorted(set(languages.tolist()) - {""}):
        here = languages == language
        said = probabilities[here] >= threshold
        measured = measures.measures_of(truth[here], said, probabilities[here], stands_for[here])
        enough = here.sum() >= FEWEST_TO_JUDGE_A_LANGUAGE and truth[here].sum() >= here.sum() / 20
        rows.append(
            {
                "language": language,
                "examples": int(here.sum()),
                "positives": int(truth[here].sum()),
                "f1": measured["f1"],
                "is_judged_well_enough": bool(
                    measured["f1"] >= LANGUAGE_FLOOR
                    if enough
                    else is_for_all and here.sum() > known / 2
                ),
            }
        )
    return rows


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, description: dict[str, Any]) -> None:
    """Write a description, whole or not at all."""
    with written_whole(path) as partial:
        text = json.dumps(description, indent=1, ensure_ascii=False)
        partial.write_text(f"{text}\n", encoding="utf-8")
