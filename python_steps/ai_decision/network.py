"""The network of a classifier, its weights, and the tokens it reads."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from python_steps.errors import ModelError
from python_steps.transformer import multilingual, weights
from python_steps.transformer.batches import Batch
from python_steps.transformer.multilingual import MULTILINGUAL_MODEL
from python_steps.transformer.weights import PACKAGED_MODEL

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

HEAD_FILE = "head.safetensors"
MOST_LAYERS_READ = 4  # the upper ones, whose means of hidden states a head may read
ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
ENCODER_FILE = "encoder.safetensors"
LORA_A, LORA_B = ".lora_A.weight", ".lora_B.weight"
# Settings of peft under which adapters are merged in another way.
UNSUPPORTED_IN_ADAPTERS = (
    *("alpha_pattern", "fan_in_fan_out", "lora_bias", "modules_to_save", "rank_pattern"),
    *("use_dora", "use_rslora"),
)


# Digits, formulas and punctuation tell corpora apart (some deliver texts without them), not
# subjects: a classifier that may look at them learns which corpus a text is from.
_UNREAD = re.compile(r"[^\w\s.]+|[\d_]")


def load_base(
    name: str, sha256: str | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """
    Load the BERT that a classifier starts from, in f32 on the CPU.

    Parameters
    ----------
    name
        ``all-MiniLM-L6-v2`` or ``multilingual-e5-small`` for weights from installed packages, which
        never touch the network; else a folder or a name that transformers can load.
    sha256
        What :func:`content_hash` has to be; None takes whatever is there.

    Raises
    ------
    ModelError
        When it cannot be loaded, or is another than the one wanted.
    """
    if name == MULTILINGUAL_MODEL:
        model, tokenizer = multilingual.load_multilingual()
    else:
        model, tokenizer = _load_transformer(name)
    model.train(False)
    if sha256 is not None and content_hash(model) != sha256:
        message = f"the base model {name!r} is not the one that the classifier was trained on"
        raise ModelError(message)
    return model, tokenizer


def _load_transformer(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    from transformers import AutoModel, AutoTokenizer

    packaged = name == PACKAGED_MODEL
    place = str(weights.packaged_model_folder()) if packaged else name
    try:
        with weights.quiet_transformers():
            only_local = packaged or weights.is_here(name)
            model = AutoModel.from_pretrained(
                place, local_files_only=only_local, trust_remote_code=False, use_safetensors=True
            )
            tokenizer = AutoTokenizer.from_pretrained(
                place, local_files_only=only_local, trust_remote_code=False
            )
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        message = (
            f"cannot load the base model {name!r}: {reason}. Give a BERT by name or folder, with "
            f"weights as safetensors, or {PACKAGED_MODEL!r}."
        )
        raise ModelError(message) from error
    return model, tokenizer


def content_hash(model: torch.nn.Module) -> str:
    """Return the SHA-256 of the names, shapes and f32 values of a model's weights."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def with_trained_weights(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """Return a base model with what was trained of it: adapters merged in, all weights, or none."""
    from safetensors.torch import load_file

    if (folder / ENCODER_FILE).is_file():
        model.load_state_dict(load_file(folder / ENCODER_FILE))
    elif (folder / ADAPTER_FILES[0]).is_file():
        _merge_adapters(model, folder)
    return model


def _merge_adapters(model: PreTrainedModel, folder: Path) -> None:
    """
    Add low-rank adapters to the weights that they adapt: W + B · A · alpha / r.

    The operations and their order are those of peft, which trains the adapters: the sums are equal
    to the bit.

    Raises
    ------
    ModelError
        If the adapters are of another kind than `train` makes.
    """
    import torch
    from safetensors.torch import load_file

    settings = json.loads((folder / ADAPTER_FILES[0]).read_text(encoding="utf-8"))
    adapters = load_file(folder / ADAPTER_FILES[1])
    unsupported = [name for name in UNSUPPORTED_IN_ADAPTERS if settings.get(name)]
    pairs = {name for name in adapters if name.endswith(LORA_A)}
    if settings.get("peft_type") != "LORA" or unsupported or len(adapters) != 2 * len(pairs):
        message = f"the adapters in {folder} are of a kind that this program does not train"
        raise ModelError(f"{message} ({', '.join(unsupported) or settings.get('peft_type')})")
    scaling = settings["lora_alpha"] / settings["r"]
    with torch.no_grad():
        for name in sorted(pairs):
            a, b = (adapters[name.replace(LORA_A, end)].float() for end in (LORA_A, LORA_B))
            module = name.removeprefix("base_model.model.").removesuffix(LORA_A)
            model.get_submodule(module).weight += (b @ a) * scaling


class Network:
    """
    A BERT with one linear unit over means of its hidden states.

    Over the mean of the last layer, or over those of several upper layers, each at unit length, one
    after another: what decides may stand in a layer that training for another task has overwritten.
    The size of the head says which. Means rather than the first token: the bundled encoder was
    trained so.
    """

    def __init__(self, encoder: torch.nn.Module) -> None:
        import torch

        self.encoder = encoder
        self.head = torch.nn.Linear(encoder.config.hidden_size, 1)
        # From nothing, so that the first steps do not pull the encoder in a random direction.
        torch.nn.init.zeros_(self.head.weight)
        torch.nn.init.zeros_(self.head.bias)

    def load_head(self, path: Path) -> None:
        """Read the head's weights from a file."""
        import torch
        from safetensors.torch import load_file

        weights = load_file(path)
        self.head = torch.nn.Linear(weights["weight"].shape[1], 1)
        self.head.load_state_dict(weights)

    @property
    def layers_read(self) -> int:
        """How many upper layers the head reads."""
        return self.head.in_features // self.encoder.config.hidden_size

    def compute_in(self, precision: str, device: str) -> None:
        """Move to a device, the encoder in a precision and the head in f32."""
        import torch

        self.encoder.to(device, torch.bfloat16 if precision == "bf16" else torch.float32)
        self.head.to(device)

    def __call__(self, batch: Batch, device: str) -> torch.Tensor:
        """Return the logits of the rows of a batch: float32 of shape [rows]."""
        return self.logits(self.vectors(batch, device))

    def vectors(self, batch: Batch, device: str) -> torch.Tensor:
        """
        Return the means of the hidden states of the upper layers.

        float32 of shape [rows, layers, hidden size], the last layer last; `MOST_LAYERS_READ` of
        them, or as many as there are, the embeddings of tokens included.
        """
        import torch

        features = {
            "input_ids": torch.from_numpy(batch.identifiers).to(device),
            "attention_mask": torch.from_numpy(batch.mask).to(device),
        }
        if getattr(self.encoder.config, "type_vocab_size", 0) > 1:
            features["token_type_ids"] = torch.from_numpy(batch.types).to(device)
        layers = self.encoder(**features, output_hidden_states=True).hidden_states
        mask = features["attention_mask"].unsqueeze(-1).float()
        means = [(each.float() * mask).sum(1) for each in layers[-MOST_LAYERS_READ:]]
        return torch.stack(means, 1) / mask.sum(1).clamp(min=1).unsqueeze(1)

    def read(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return what the head reads of vectors: float64 of shape [rows, head's size]."""
        import torch

        read = vectors[:, -self.layers_read :].double()
        if self.layers_read > 1:
            read = torch.nn.functional.normalize(read, dim=-1)
        return read.flatten(1)

    def logits(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return what the head says of vectors: float32 of shape [rows]."""
        # Not as a product of matrices: with one column, its kernels sum a row by where it stands in
        # the batch.
        weighted = self.read(vectors) * self.head.weight.double()
        return (weighted.sum(1) + self.head.bias.double()).float()


def tokenised(
    tokenizer: PreTrainedTokenizerBase,
    titles: Sequence[str | None],
    abstracts: Sequence[str | None],
    maximum_tokens: int,
) -> tuple[list[list[int]], list[list[int]]]:
    """
    Return tokens of documents as pairs of texts, and which of the two each token is of.

    Of a pair that is too long the longer text is cut.
    """
    # Truncation and padding are stated because the packaged tokeniser carries its own (both 128).
    encoded = tokenizer(
        [read_text(text) for text in titles],
        [read_text(text) for text in abstracts],
        truncation="longest_first",
        max_length=maximum_tokens,
        padding=False,
        return_token_type_ids=True,
    )
    return encoded["input_ids"], encoded["token_type_ids"]


def read_text(text: str | None) -> str:
    """Return what a classifier reads of a text: letters with their marks, and full stops."""
    text = text or ""
    # Most texts are ASCII, which has no marks to ask for.
    return " ".join(_UNREAD.sub(" " if text.isascii() else _marks_of_a_word, text).split())


def _marks_of_a_word(found: re.Match[str]) -> str:
    """
    Return a blank for a run of what is not read, after the marks that belong to the letter before.

    Vowel signs of Hindi, Thai and Tamil and decomposed accents are such marks. To `re` they are no
    letters.
    """
    run, start = found[0], found.start()
    if not found.string[start - 1 : start].isalpha():
        return " "
    marks = "".join(takewhile(_is_mark, run))
    return marks if marks == run else f"{marks} "


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
