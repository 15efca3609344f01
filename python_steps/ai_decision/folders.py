"""Folders of classifiers, and what each says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from python_steps.errors import ModelError
from python_steps.transformer import weights

DESCRIPTION_FILE = "classifier.json"
WORD_FILTER_FILE = "word_filter.json"


# What a threshold is for: the best F1 of its documents, or to miss little of what is AI.
OPERATING_POINTS = ("balanced", "inclusive")


FIELDS = (
    "layer", "document_types", "base_model", "base_sha256", "maximum_tokens", "temperature", "bias",
    "thresholds", "languages", "sha256",
)  # fmt: skip


PACKAGED_FOLDER = Path(__file__).parent / "classifiers"


# Where those lie that judge each of the languages that documents are judged in.
PACKAGED_FOLDERS = {
    "english": [PACKAGED_FOLDER],
    "all": [PACKAGED_FOLDER, PACKAGED_FOLDER / "multilingual"],
}


def classifier_folders(place: Path, *, required: bool = True) -> list[Path]:
    """
    Return the folders of classifiers at a place: itself, or those in it, by name.

    Raises
    ------
    ModelError
        When there is none and one is required.
    """
    if (place / DESCRIPTION_FILE).is_file():
        return [place]
    folders = sorted(path.parent for path in place.glob(f"*/{DESCRIPTION_FILE}"))
    if required and not folders:
        message = (
            f"{place} holds no classifier: name a folder that `deepinnovation train` wrote, or "
            f"'packaged'"
        )
        raise ModelError(message)
    return folders


def holds_word_filter(place: Path) -> bool:
    """Whether a word filter lies in a subfolder of a place."""
    return any(place.glob(f"*/{WORD_FILTER_FILE}"))


def read_description(
    folder: Path, name: str = DESCRIPTION_FILE, fields: Sequence[str] = FIELDS
) -> dict[str, Any]:
    """
    Return what `classifier.json` of a folder says, or another description with other fields.

    Raises
    ------
    ModelError
        When it cannot be read or lacks a field.
    """
    path = folder / name
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        absent = [field for field in fields if field not in description]
    except (OSError, ValueError) as error:
        message = f"cannot read {path}: {error}"
        raise ModelError(message) from error
    if absent:
        message = f"{path} lacks {', '.join(absent)}: train the classifier again"
        raise ModelError(message)
    return description


def check_files(folder: Path, description: dict[str, Any]) -> None:
    """
    Raise ModelError where a file of a classifier is missing or another than was trained.

    `description` is what :func:`read_description` returned for the folder.
    """
    for name, expected in sorted(description["sha256"].items()):
        weights.check_weights(folder / name, expected)


def stages(description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """
    Yield how a classifier was trained: by what it went on from, and so on, then by itself.

    Each has `command` and `examples`: counts by split, source_name, label_source and is_ai.
    """
    if description.get("started_from"):
        yield from stages(description["started_from"])
    yield description


def packaged_languages(languages: str) -> set[str]:
    """Return the ISO 639-1 codes of what packaged classifiers judge with `languages`."""
    return {
        language
        for place in PACKAGED_FOLDERS[languages]
        for folder in classifier_folders(place, required=False)
        for language in read_description(folder)["languages"]
    }
