"""Models that this process keeps loaded."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Hashable
from typing import TypeVar

from python_steps.errors import ModelError

Description = TypeVar("Description", bound=Hashable)
Model = TypeVar("Model")


# Models a process keeps loaded: a shard needs the encoders and the heads of both layers, for papers
# and for patents, in English and in other languages.
MODELS_KEPT = 16


# The device is part of what names one, as tasks of one process may be given one CUDA device after
# another. The last used stands last.
MODELS: dict[tuple[Hashable, str], object] = {}
_LOADING = threading.RLock()


def loaded(description: Description, device: str, load: Callable[[Description], Model]) -> Model:
    """Return the model of a description on a device; `load` loads it unless it is here."""
    with _LOADING:
        model = MODELS.get((description, device)) or load(description)
        keep(description, device, model)
    return model


def keep(description: Hashable, device: str, model: object) -> None:
    """Keep a model of this process for :func:`loaded`, and let the least recently used go."""
    with _LOADING:
        MODELS.pop((description, device), None)
        MODELS[description, device] = model
        while len(MODELS) > MODELS_KEPT:
            del MODELS[next(iter(MODELS))]


def reloaded(wanted: Description, load: Callable[[str], Description]) -> Description:
    """
    Load a model that another process, or this one some time ago, has described.

    Parameters
    ----------
    wanted
        Has `model_version`, `precision` and `precision_is_chosen`.
    load
        Loads the model in a precision, or ``auto``, keeps it (see :func:`keep`) and describes it.

    Raises
    ------
    ModelError
        When it cannot be loaded, or is another one here.
    """
    host = socket.gethostname()
    # Where the precision was chosen for a processor that has more, this one may choose less.
    is_free = wanted.precision_is_chosen and wanted.precision == "bf16"
    try:
        description = load("auto" if is_free else wanted.precision)
    except ModelError as error:
        message = f"on {host}: {error}"
        raise ModelError(message) from error
    if description.model_version != wanted.model_version:
        message = (
            f"{host} loads {description.model_version!r} where {wanted.model_version!r} is wanted: "
            "give every machine the same weights, and where their processors differ name the "
            "precision"
        )
        raise ModelError(message)
    return description
