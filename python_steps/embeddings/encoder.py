"""
Turn texts into vectors of length one.

The vector of a text never depends, to the bit, on the texts it is computed with (see
:mod:`python_steps.transformer`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import tables
from python_steps.errors import ModelError
from python_steps.transformer import batches as transformer_batches
from python_steps.transformer import devices, multilingual, weights
from python_steps.transformer import loaded as transformer_loaded
from python_steps.transformer.batches import Batch
from python_steps.transformer.devices import present_device
from python_steps.transformer.multilingual import MULTILINGUAL_MODEL
from python_steps.transformer.weights import PACKAGED_MODEL

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


AUTO = "auto"


# What each of the languages that documents are judged in is embedded by, where nothing is named.
MODELS = {"english": PACKAGED_MODEL, "all": MULTILINGUAL_MODEL}
TEXTS_TOKENISED_AT_ONCE = 4096


# How far the length of a vector may be from one: storage in fewer bits moves it by less.
LENGTH_TOLERANCE = 5e-3


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
        ModelError
            When this process has to load the model and cannot, or finds another.
        """
        return _loaded(self).encode(texts)


def load_encoder(
    model: str = AUTO,
    *,
    languages: str = "english",
    precision: str = "auto",
    device: str = "auto",
    maximum_tokens: int = 256,
) -> Encoder:
    """
    Load the model that turns texts into vectors.

    Parameters
    ----------
    model
        ``all-MiniLM-L6-v2`` or ``multilingual-e5-small`` for weights from installed packages, whose
        hash is checked and which never touch the network; else a folder or a name that
        sentence-transformers can load. Weights are read from safetensors only and no code of a
        model is run. ``auto`` is the one or the other, by `languages`.
    languages
        ``english`` or ``all``: what ``auto`` embeds, all languages in one space.
    precision
        ``f32``, ``bf16``, or ``auto``: bf16 where the processor computes in it, else f32.
    device
        As torch names it, or ``auto``: the current CUDA device if there is one, else the CPU.
    maximum_tokens
        Tokens of a text to read; the model's own limit holds where it is lower.

    Raises
    ------
    ModelError
        When the model cannot be loaded or the packaged weights are not the published ones.
    ValueError
        When `precision` is none of the three.
    """
    import torch

    here = present_device(device)
    chosen = precision == "auto"
    precision = devices.chosen_precision(precision, here)
    model = MODELS[languages] if model == AUTO else model
    packaged = model in MODELS.values()
    loaded = _load(model, device=here)
    if not packaged and Path(model).is_dir():
        model = str(Path(model).absolute())
    limit = min(maximum_tokens, loaded.tokenizer.model_max_length)
    name = Path(model).name if Path(model).is_absolute() else model
    version = f"{name}/{_content_hash(loaded, prefix_of(model))[:12]}/{precision}/{limit}"
    first, *rest = loaded
    first.to(torch.bfloat16 if precision == "bf16" else torch.float32)
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
    kept = _LoadedModel(loaded, here, limit, encoder.width, prefix_of(model))
    transformer_loaded.keep(encoder, here, kept)
    return encoder


def prefix_of(model: str) -> str:
    """Return what a model has been trained to read before each text; most read nothing."""
    return multilingual.PREFIX if Path(model).name == MULTILINGUAL_MODEL else ""


@dataclass(frozen=True)
class _LoadedModel:
    """A model on its device."""

    model: SentenceTransformer
    device: str
    maximum_tokens: int
    width: int
    prefix: str

    def encode(self, texts: Sequence[str | None]) -> np.ndarray:
        vectors = np.empty((len(texts), self.width), dtype=np.float32)
        # Chunks bound the memory of token lists; they decide no vector.
        for start in range(0, len(texts), TEXTS_TOKENISED_AT_ONCE):
            batches = transformer_batches.batches(
                self._tokenised(texts[start : start + TEXTS_TOKENISED_AT_ONCE]),
                padding_token=self.model.tokenizer.pad_token_id,
                device=self.device,
                on_the_left=self.model.tokenizer.padding_side == "left",
            )
            computed = transformer_batches.map_batches(
                self._forward, list(batches), device=self.device
            )
            for members, rows in computed:
                vectors[start + members] = rows
        return vectors

    def _tokenised(self, texts: Sequence[str | None]) -> list[list[int]]:
        # Truncation and padding are stated here because the packaged tokeniser carries its own
        # (both 128), which would otherwise hold.
        return self.model.tokenizer(
            [self.prefix + (text or "") for text in texts],
            truncation=True,
            max_length=self.maximum_tokens,
            padding=False,
        )["input_ids"]

    def _forward(self, batch: Batch) -> np.ndarray:
        import torch

        features = {
            "input_ids": torch.from_numpy(batch.identifiers).to(self.device),
            "attention_mask": torch.from_numpy(batch.mask).to(self.device),
        }
        if "token_type_ids" in self.model.tokenizer.model_input_names:
            features["token_type_ids"] = torch.zeros_like(features["input_ids"])
        with torch.inference_mode():
            first, *rest = self.model
            features = first(features)
            # From here on in f32: a mean in bf16 would lose what the transformer kept.
            features = {name: _as_float32(value) for name, value in features.items()}
            for module in rest:
                features = module(features)
            vectors = features["sentence_embedding"]
            vectors = torch.nn.functional.normalize(vectors, dim=1)
        return vectors.cpu().numpy()


def _loaded(encoder: Encoder) -> _LoadedModel:
    """Return the model of an encoder, loaded unless it is."""
    return transformer_loaded.loaded(encoder, present_device(encoder.device), _loaded_again)


def _loaded_again(encoder: Encoder) -> _LoadedModel:
    def load(precision: str) -> Encoder:
        return load_encoder(
            encoder.name,
            precision=precision,
            device=encoder.device,
            maximum_tokens=encoder.maximum_tokens,
        )

    return _loaded(transformer_loaded.reloaded(encoder, load))


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


def _load(name: str, *, device: str) -> SentenceTransformer:
    """Return a model, its weights unchanged."""
    if name == MULTILINGUAL_MODEL:
        loaded = multilingual.load_sentence_transformer().to(device)
    else:
        packaged = name == PACKAGED_MODEL
        folder = weights.packaged_model_folder() if packaged else name
        loaded = _load_by_name(str(folder), device=device, only_local=packaged)
    return loaded.train(False)


def _load_by_name(name: str, *, device: str, only_local: bool) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    try:
        with weights.quiet_transformers():
            loaded = SentenceTransformer(
                name,
                device=device,
                local_files_only=only_local or weights.is_here(name),
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        message = (
            f"cannot load the encoder {name!r}: {reason}. Give a folder that sentence-transformers "
            f"can read, with weights as safetensors, or {PACKAGED_MODEL!r}."
        )
        raise ModelError(message) from error
    if not hasattr(loaded[0], "auto_model"):
        message = f"the encoder {name!r} does not begin with a transformer"
        raise ModelError(message)
    return loaded


def _content_hash(model: SentenceTransformer, prefix: str) -> str:
    """Hash what decides the vectors: weights, vocabulary, prefix, and how tokens become one."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    for token, number in sorted(model.tokenizer.get_vocab().items()):
        digest.update(f"{token} {number}\n".encode())
    digest.update(prefix.encode())
    for module in model:
        digest.update(f"{type(module).__name__} {getattr(module, 'pooling_mode', '')}\n".encode())
    return digest.hexdigest()


def _width(model: SentenceTransformer) -> int:
    named = getattr(model, "get_embedding_dimension", None)  # its name since version 5.4
    return int(named() if named else model.get_sentence_embedding_dimension())


def _as_float32(value: object) -> object:
    import torch

    floating = isinstance(value, torch.Tensor) and value.is_floating_point()
    return value.float() if floating else value
