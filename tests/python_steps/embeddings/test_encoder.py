"""Vectors of texts: the same bits in any company, and the right model or none."""

import pickle
import socket
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
import torch

from python_steps import errors, tables
from python_steps.embeddings import encoder as embeddings_encoder
from python_steps.transformer import devices, loaded
from python_steps.transformer import weights as transformer_weights
from tests.python_steps.another_process import called_in_another_process

SENTENCES = [
    "We propose a convolutional network that segments tumours in magnetic resonance images.",
    "A gearbox for wind turbines has planet carriers and a lubrication channel.",
    "Reinforcement learning from human feedback aligns language models with preferences.",
    "The catalyst comprises palladium on a zeolite support.",
    "Graph neural networks predict the properties of molecules from their bonds.",
    "A method for speech recognition comprises an acoustic model and a decoder.",
    "Bayesian optimisation tunes the hyperparameters of a support vector machine.",
    "The vehicle detects lane markings with a camera and steers accordingly.",
    "Knowledge graphs link entities that are mentioned in scientific articles.",
    "An apparatus for sorting fruit uses near-infrared light and a classifier.",
]
# From a word to more tokens than are read, and neighbours on both sides of a step in length.
TEXTS = [
    "",
    "graph",
    "Köln 深度学习 ∇·B = 0",
    *SENTENCES,
    *(" ".join(SENTENCES[:count]) for count in range(2, 9)),
    *(" ".join(["network"] * count) for count in (13, 14, 15, 29, 30, 31)),
    " ".join(SENTENCES * 4),
]


@pytest.fixture(scope="module", params=["f32", "bf16"])
def encoder(request):
    return embeddings_encoder.load_encoder(precision=request.param)


@pytest.fixture(scope="module")
def vectors(encoder):
    return encoder.encode(TEXTS)


def test_vectors_are_float32_of_length_one(encoder, vectors):
    assert vectors.shape == (len(TEXTS), encoder.width) == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_text_alone_has_the_vector_it_has_in_company(encoder, vectors):
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert alone.tobytes() == vectors.tobytes()


def test_order_does_not_matter(encoder, vectors):
    order = np.random.default_rng(0).permutation(len(TEXTS))
    assert encoder.encode([TEXTS[place] for place in order]).tobytes() == vectors[order].tobytes()


def test_other_company_does_not_matter(encoder, vectors):
    crowd = [f"{text} {number}" for number in range(3) for text in reversed(TEXTS)]
    among = encoder.encode([*crowd, *TEXTS, *crowd])[len(crowd) : len(crowd) + len(TEXTS)]
    assert among.tobytes() == vectors.tobytes()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_does_not_matter(encoder, vectors, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert encoder.encode(TEXTS).tobytes() == vectors.tobytes()
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_chunks_of_tokenising_do_not_matter(encoder, vectors, monkeypatch):
    monkeypatch.setattr(embeddings_encoder, "TEXTS_TOKENISED_AT_ONCE", 5)
    assert encoder.encode(TEXTS).tobytes() == vectors.tobytes()


def test_meaning_is_near(encoder):
    query, near, far = encoder.encode(["deep learning", "neural networks", "palladium catalyst"])
    assert query @ near > query @ far + 0.3


def test_no_text_is_the_empty_text(encoder):
    none, empty, blank = encoder.encode([None, "", "  "])
    assert none.tobytes() == empty.tobytes() == blank.tobytes()


def test_no_texts_give_no_vectors(encoder):
    assert encoder.encode([]).shape == (0, 384)


def test_texts_are_read_beyond_the_packaged_limit_of_128_tokens(encoder):
    words = " ".join(["network"] * 150)
    one, other = encoder.encode([f"{words} zeolite", f"{words} violin"])
    assert not np.array_equal(one, other)


def test_bf16_is_faithful_to_f32():
    exact, rounded = (
        embeddings_encoder.load_encoder(precision=precision).encode(TEXTS)
        for precision in ("f32", "bf16")
    )
    cosines = (exact * rounded).sum(axis=1)
    assert cosines.mean() >= 0.999
    assert cosines.min() >= 0.998


def test_f32_agrees_with_sentence_transformers():
    from sentence_transformers import SentenceTransformer

    ours = embeddings_encoder.load_encoder(precision="f32").encode(TEXTS)
    reference = SentenceTransformer(str(transformer_weights.packaged_model_folder()), device="cpu")
    theirs = reference.encode(TEXTS, normalize_embeddings=True)
    assert np.abs(ours - theirs).max() < 1e-5


def test_the_version_tells_what_decides_a_vector():
    versions = {
        embeddings_encoder.load_encoder(precision=precision, maximum_tokens=tokens).model_version
        for precision in ("f32", "bf16")
        for tokens in (128, 256)
    }
    assert len(versions) == 4
    assert all(version.startswith("all-MiniLM-L6-v2/") for version in versions)


def test_a_copied_model_loads_from_its_folder_with_the_same_vectors(tmp_path):
    folder = tmp_path / "mine"
    folder.symlink_to(transformer_weights.packaged_model_folder())
    copied = embeddings_encoder.load_encoder(str(folder), precision="f32")
    packaged = embeddings_encoder.load_encoder(precision="f32")
    assert copied.encode(TEXTS[:5]).tobytes() == packaged.encode(TEXTS[:5]).tobytes()
    assert copied.model_version.split("/")[1] == packaged.model_version.split("/")[1]
    assert str(tmp_path) not in copied.model_version


def test_weights_of_another_hash_are_refused(tmp_path):
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"other")
    with pytest.raises(errors.ModelError, match="are not those that were published") as error:
        transformer_weights.check_weights(weights, transformer_weights.PACKAGED_WEIGHTS_SHA256)
    remedy = "Install the package, copy the folder, or train the classifier again."
    assert str(error.value).endswith(remedy)


def test_the_packaged_model_is_refused_when_its_weights_changed(monkeypatch):
    monkeypatch.setattr(transformer_weights, "PACKAGED_WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(errors.ModelError, match="expected 0000"):
        embeddings_encoder.load_encoder()


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(errors.ModelError, match="cannot load the encoder"):
        embeddings_encoder.load_encoder(str(tmp_path))


def test_weights_that_are_no_safetensors_are_refused(tmp_path):
    for path in transformer_weights.packaged_model_folder().iterdir():
        if path.name != "model.safetensors":
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04N.")  # a pickle
    with pytest.raises(errors.ModelError, match="cannot load the encoder"):
        embeddings_encoder.load_encoder(str(tmp_path))


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="got 'f16'"):
        embeddings_encoder.load_encoder(precision="f16")


def test_embed_keeps_columns_and_has_the_promised_schema(encoder):
    table = pa.table(
        {"document_id": ["W1", "W2"], "text_hash": ["a", "b"], "text": ["graph", None]}
    )
    result = embeddings_encoder.embed(table, encoder=encoder, keep=["document_id", "text_hash"])
    assert result.schema == tables.embeddings(384, keep=tables.DOCUMENT_TEXT)
    assert result.column("document_id").to_pylist() == ["W1", "W2"]
    assert set(result.column("model_version").to_pylist()) == {encoder.model_version}
    assert (
        embeddings_encoder.unit_vectors(result).tobytes() == encoder.encode(["graph", ""]).tobytes()
    )


def test_embed_takes_zero_rows(encoder):
    table = pa.table({"phrase": pa.array([], pa.string())})
    result = embeddings_encoder.embed(table, encoder=encoder, text="phrase", keep=["phrase"])
    assert result.num_rows == 0
    assert result.schema == tables.embeddings(384, keep=tables.PHRASE)


def unit(*rows):
    values = pa.array(rows, pa.list_(pa.float32(), 2))
    return pa.table({"document_id": [f"W{row}" for row in range(len(rows))], "embedding": values})


@pytest.mark.parametrize("bad", [[0.6, 0.6], [0, 0], [float("nan"), 1], None])
def test_a_vector_that_is_not_of_length_one_is_named(bad):
    with pytest.raises(ValueError, match="W1"):
        embeddings_encoder.unit_vectors(unit([1, 0], bad))


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float32(), 2),
        pa.list_(pa.float32()),
        pa.large_list(pa.float32()),
        pa.list_(pa.float64()),
    ],
)
def test_any_list_of_numbers_is_a_vector(kind):
    table = unit([9, 9], [1, 0], [0.6, 0.8], [0, 1])
    column = table.column("embedding").cast(kind)
    table = table.set_column(1, "embedding", column).slice(1)
    table = pa.concat_tables([table.slice(0, 1), table.slice(1)])
    vectors = embeddings_encoder.unit_vectors(table)
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32))
    assert len(embeddings_encoder.unit_vectors(table.slice(0, 0))) == 0


def test_vectors_of_different_widths_are_named():
    values = pa.array([[1, 0], [1], [0, 1]], pa.list_(pa.float32()))
    table = pa.table({"document_id": ["W0", "W1", "W2"], "embedding": values})
    with pytest.raises(ValueError, match="document_id W1 has 1 numbers, the first 2"):
        embeddings_encoder.unit_vectors(table)


# --- in another process ---------------------------------------------------------------------------


def test_another_process_computes_the_same_bits(encoder, vectors):
    step = partial(embeddings_encoder.embed, encoder=encoder)
    assert len(pickle.dumps(step)) < 2000
    table = pa.table({"document_id": list(map(str, range(len(TEXTS)))), "text": TEXTS})
    result = called_in_another_process(step, table)
    assert embeddings_encoder.unit_vectors(result).tobytes() == vectors.tobytes()
    assert set(result.column("model_version").to_pylist()) == {encoder.model_version}


@pytest.fixture
def loads(monkeypatch):
    """Models that are loaded, by name; nothing is loaded before."""
    names = []
    load = embeddings_encoder._load
    monkeypatch.setattr(loaded, "MODELS", {})
    monkeypatch.setattr(
        embeddings_encoder,
        "_load",
        lambda name, **settings: names.append(name) or load(name, **settings),
    )
    return names


def test_a_process_loads_a_model_once(encoder, vectors, loads):
    pickled = pickle.dumps(encoder)
    for _ in range(3):
        again = pickle.loads(pickled)
        assert again == encoder
        assert again.encode(TEXTS[:3]).tobytes() == vectors[:3].tobytes()
    assert len(loads) == 1


def test_a_process_keeps_no_more_models_than_it_may(encoder, loads, monkeypatch):
    monkeypatch.setattr(loaded, "MODELS_KEPT", 4)
    for tokens in (32, 48, 64, 96, 128):
        embeddings_encoder.load_encoder(precision="f32", maximum_tokens=tokens)
    assert len(loaded.MODELS) == 4
    assert len(loads) == 5


def test_another_model_under_the_same_name_is_refused_where_it_is_found(loads):
    encoder = embeddings_encoder.load_encoder(precision="f32")
    wanted = replace(encoder, model_version="all-MiniLM-L6-v2/other/f32/256")
    with pytest.raises(errors.ModelError) as raised:
        wanted.encode(["graph"])
    for named in (socket.gethostname(), wanted.model_version, encoder.model_version):
        assert named in str(raised.value)
    assert pickle.loads(pickle.dumps(raised.value)).args == raised.value.args


def test_a_folder_that_a_machine_does_not_share_is_named_with_the_machine(tmp_path, loads):
    folder = tmp_path / "mine"
    folder.symlink_to(transformer_weights.packaged_model_folder())
    encoder = embeddings_encoder.load_encoder(str(folder), precision="f32")
    folder.unlink()
    loaded.MODELS.clear()
    with pytest.raises(errors.ModelError, match=f"on {socket.gethostname()}: cannot load"):
        encoder.encode(["graph"])


def test_a_relative_folder_is_found_from_anywhere(tmp_path, monkeypatch, loads):
    (tmp_path / "mine").symlink_to(transformer_weights.packaged_model_folder())
    monkeypatch.chdir(tmp_path)
    encoder = embeddings_encoder.load_encoder("mine", precision="f32")
    monkeypatch.chdir("/")
    assert encoder.model_version.startswith("mine/")
    vectors = encoder.encode(["graph"])
    loaded.MODELS.clear()
    assert encoder.encode(["graph"]).tobytes() == vectors.tobytes()


@pytest.mark.parametrize("asked, refused", [("auto", True), ("bf16", False)])
def test_a_chosen_precision_has_to_be_there_on_every_machine(asked, refused, loads, monkeypatch):
    monkeypatch.setattr(devices, "computes_in_bf16", lambda device: True)
    encoder = embeddings_encoder.load_encoder(precision=asked)
    assert encoder.precision == "bf16"
    loaded.MODELS.clear()
    monkeypatch.setattr(devices, "computes_in_bf16", lambda device: False)
    if refused:
        with pytest.raises(errors.ModelError, match=r"/f32/256' where .*/bf16/256' is wanted"):
            encoder.encode(["graph"])
    else:
        assert len(encoder.encode(["graph"])) == 1


def test_a_machine_with_a_better_precision_keeps_to_the_chosen_one(loads, monkeypatch):
    monkeypatch.setattr(devices, "computes_in_bf16", lambda device: False)
    encoder = embeddings_encoder.load_encoder()
    vectors = encoder.encode(TEXTS[:5])
    loaded.MODELS.clear()
    monkeypatch.setattr(devices, "computes_in_bf16", lambda device: True)
    assert encoder.precision == "f32"
    assert encoder.encode(TEXTS[:5]).tobytes() == vectors.tobytes()


def test_the_device_is_found_where_the_encoder_is_used():
    assert embeddings_encoder.load_encoder().device == "auto"
    assert devices.present_device("cpu") == "cpu"
    assert devices.present_device("cuda:1") == "cuda:1"
    if not torch.cuda.is_available():
        assert devices.present_device("auto") == "cpu"
        return
    assert devices.present_device("auto") == f"cuda:{torch.cuda.current_device()}"
