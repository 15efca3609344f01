"""
Find the classifiers that judge the documents of a build: the project's own and a user's.

Each layer and type of document may have several, for different languages.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from python_steps import tables
from python_steps.ai_decision.classifier import (
    DOCUMENT_TYPES,
    LAYERS,
    Classifier,
    load_classifier,
)
from python_steps.ai_decision.folders import (
    DESCRIPTION_FILE,
    PACKAGED_FOLDERS,
    classifier_folders,
    holds_word_filter,
    read_description,
)
from python_steps.errors import ModelError

PACKAGED = "packaged"  # stands for the folder of the classifiers that come with the project


def load_classifiers(
    classifiers: str = PACKAGED,
    *,
    layers: Sequence[str] = LAYERS,
    document_types: Sequence[str] = DOCUMENT_TYPES,
    languages: str = "english",
    operating_point: str = "balanced",
    precision: str = "auto",
    device: str = "auto",
) -> list[Classifier]:
    """
    Find the classifiers of some layers and types of document.

    Parameters
    ----------
    classifiers
        ``packaged``, or a folder whose subfolders are classifiers; the packaged ones stand in for
        what it does not hold.
    layers, document_types
        What to judge.
    languages
        ``english``: the folder's classifiers judge each layer and type, or the packaged one of
        English, which also stands beside those that are for other languages. ``all``: packaged
        ones judge further languages. See :func:`describe` for which judges what.
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
        Outer before inner, those of papers before those of patents, the folder's before packaged
        ones; one that judges both types stands there once.

    Raises
    ------
    ModelError
        When a folder is no classifier, two claim the same, or one is missing.
    """
    asked = [(layer, kind) for layer in layers for kind in document_types]
    packaged = [_catalogue(place, asked, required=False) for place in PACKAGED_FOLDERS[languages]]
    own: dict[tuple[str, str], list[Path]] = {key: [] for key in asked}
    if classifiers != PACKAGED:
        place = Path(classifiers).expanduser().absolute()
        # Who taught a word filter alone goes on with the packaged classifiers.
        own = _catalogue(place, asked, required=not holds_word_filter(place))
    found = {key: own[key] + [each for here in packaged for each in here[key]] for key in asked}
    if languages == "english":
        replaced = {key for key in asked if not all(map(is_for_languages, own[key]))}
        found |= {key: own[key] for key in replaced}
    missing = [f"{kind}s in the {layer} layer" for (layer, kind), here in found.items() if not here]
    if missing:
        message = f"no classifier for {', '.join(missing)}: train one with `deepinnovation train`"
        raise ModelError(message)
    return [
        load_classifier(folder, operating_point=operating_point, precision=precision, device=device)
        for folder in dict.fromkeys(folder for key in asked for folder in found[key])
    ]


def is_for_languages(folder: str | Path) -> bool:
    """Whether a classifier was made for some languages, and replaces none of another language."""
    return bool(read_description(Path(folder)).get("settings", {}).get("for_languages"))


def _catalogue(
    place: Path, asked: Sequence[tuple[str, str]], *, required: bool = True
) -> dict[tuple[str, str], list[Path]]:
    """Return the folders there of each layer and type of document that is asked for."""
    _refuse_unfinished(place, asked)
    found: dict[tuple[str, str], list[Path]] = {key: [] for key in asked}
    judges: dict[tuple[str, str, str], Path] = {}
    for folder in classifier_folders(place, required=required):
        description = read_description(folder)
        layer = description["layer"]
        for kind in description["document_types"]:
            if (layer, kind) not in asked:
                continue
            found[layer, kind].append(folder)
            for language in description["languages"] or ("no language",):
                other = judges.setdefault((layer, kind, language), folder)
                if other != folder:
                    message = (
                        f"{folder} and {other} both judge {kind}s in the {layer} layer, in the "
                        f"language {language}: keep one of them"
                    )
                    raise ModelError(message)
    return found


def _refuse_unfinished(place: Path, asked: Sequence[tuple[str, str]]) -> None:
    """Raise where training of what is asked for has not finished, as another would be used."""
    for layer, kind in asked:
        for begun in [*place.glob(f"{layer}_{kind}*"), *place.glob(f"{layer}_both*")]:
            if begun.is_dir() and not (begun / DESCRIPTION_FILE).is_file():
                message = (
                    f"{begun} holds no finished classifier: let its `deepinnovation train` run to "
                    "the end, or remove the folder"
                )
                raise ModelError(message)


def describe(classifiers: Sequence[Classifier]) -> pa.Table:
    """
    Return rows of :data:`tables.CLASSIFIERS`: one per classifier and type of document it judges.

    Of several classifiers of one layer and type, the first that judges a language judges it. What
    is in no known language, most often a short title, goes to the one that judges English, or to
    the first where none does. One that is left nothing has no row.
    """
    rows = []
    judged: dict[tuple[str, str], set[str]] = {}
    unknown: dict[tuple[str, str], Classifier] = {}
    for classifier in sorted(classifiers, key=lambda each: "en" not in each.languages):
        for kind in classifier.document_types:
            unknown.setdefault((classifier.layer, kind), classifier)
    for classifier in classifiers:
        for kind in classifier.document_types:
            key = (classifier.layer, kind)
            before = judged.setdefault(key, set())
            languages = [each for each in classifier.languages if each not in before]
            before.update(languages)
            judges_unknown = unknown[key] is classifier
            if not languages and not judges_unknown:
                continue
            rows.append(
                {
                    "layer": classifier.layer,
                    "document_type": kind,
                    "model_version": classifier.model_version,
                    "operating_point": classifier.operating_point,
                    "threshold": classifier.threshold,
                    "languages": languages,
                    "judges_unknown_language": judges_unknown,
                    "precision": classifier.precision,
                    "maximum_tokens": classifier.maximum_tokens,
                }
            )
    return pa.Table.from_pylist(rows, schema=tables.CLASSIFIERS)


def versions(classifiers: Sequence[Classifier]) -> str:
    """Name all that judges both layers, for checkpoints."""
    return " ".join(each.model_version for each in classifiers)
