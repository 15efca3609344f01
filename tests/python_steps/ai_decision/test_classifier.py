"""Classifiers as folders, and as a step."""

import json
import pickle
import shutil
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from python_steps import errors, tables
from python_steps.ai_decision import catalogue, decision, network
from python_steps.ai_decision.catalogue import load_classifiers
from python_steps.ai_decision.classifier import LoadedClassifier, load_classifier
from python_steps.ai_decision.decision import classify, judge
from python_steps.ai_decision.folders import PACKAGED_FOLDER
from python_steps.transformer import devices, loaded
from tests.python_steps.another_process import called_in_another_process

PAPER = (
    "Deep residual learning for image recognition",
    "We train convolutional neural networks of 152 layers and win a benchmark of object detection.",
)
POEM = (
    "Metre and rhyme in medieval poetry",
    "Manuscripts of three abbeys show how scribes of the twelfth century changed the metre.",
)
TITLES, ABSTRACTS = zip(
    PAPER, POEM, (PAPER[0], None), ("x", ""), (PAPER[0], PAPER[1] * 60), strict=True
)


@pytest.fixture(scope="module")
def classifiers():
    return load_classifiers(precision="f32", device="cpu")


@pytest.fixture(scope="module")
def outer(classifiers):
    return next(each for each in classifiers if "paper" in each.document_types)


@cache
def versions():
    """Return the packaged classifier of each layer and type of document."""
    found = load_classifiers(precision="f32", device="cpu")
    return {
        (each.layer, kind): each.model_version for each in found for kind in each.document_types
    }


def documents(kinds=("paper", "patent", "paper", "patent", "paper")):
    named = {
        f"{layer}_model_version": pa.array([versions()[layer, kind] for kind in kinds], pa.string())
        for layer in ("outer", "inner")
    }
    return pa.table(
        {
            "document_id": [f"d{place}" for place in range(len(kinds))],
            "document_type": list(kinds),
            **named,
            "text_hash": [f"h{place}" for place in range(len(kinds))],
            "title": pa.array(TITLES[: len(kinds)], pa.string()),
            "abstract": pa.array(ABSTRACTS[: len(kinds)], pa.string()),
        }
    )


def asked(table, threshold=0.5, known=None):
    """Return documents as the view gives them to the step."""
    rows = table.num_rows
    table = table.append_column("outer_threshold", pa.array([threshold] * rows, pa.float64()))
    known = pa.array(known or [None] * rows, pa.float64())
    return table.append_column("outer_probability", known)


def test_the_packaged_classifiers_judge_both_types_in_both_layers(classifiers):
    judged = {(each.layer, kind) for each in classifiers for kind in each.document_types}
    assert judged == {(layer, kind) for layer in ("outer", "inner") for kind in ("paper", "patent")}
    assert all(0 < each.threshold < 1 and "en" in each.languages for each in classifiers)


def test_the_packaged_weights_are_small():
    weights = PACKAGED_FOLDER.rglob("*.safetensors")
    assert 0 < sum(path.stat().st_size for path in weights) < 2_000_000


def test_a_paper_on_neural_networks_is_likelier_ai_than_one_on_poetry(outer):
    logits = outer.logits(TITLES[:2], ABSTRACTS[:2])
    assert logits[0] > logits[1]


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_a_logit_does_not_depend_on_what_it_is_computed_with(outer, precision):
    if precision == "bf16" and not devices.computes_in_bf16("cpu"):
        pytest.skip("this processor has no bf16")
    classifier = load_classifier(outer.folder, precision=precision, device="cpu")
    words = PAPER[1].split()
    titles = [*TITLES, *(" ".join(words[place:]) for place in range(8))] * 3
    abstracts = [*ABSTRACTS, *([PAPER[1]] * 8)] * 3
    together = classifier.logits(titles, abstracts)
    assert classifier.logits(titles[7:], abstracts[7:]).tobytes() == together[7:].tobytes()
    alone = [classifier.logits([titles[row]], [abstracts[row]])[0] for row in range(13)]
    assert together[:13].tobytes() == np.array(alone, np.float32).tobytes()


def test_digits_and_signs_are_not_read(outer):
    plain = outer.logits(["learning to see"], ["networks of layers"])
    signed = outer.logits(["Learning (2) to see!"], ["networks: of 152 layers; "])
    assert plain.tobytes() == signed.tobytes()


@pytest.mark.parametrize(
    "text",
    [
        "\u0939\u093f\u0928\u094d\u0926\u0940 \u092d\u093e\u0937\u093e",  # Hindi
        "\u0e17\u0e35\u0e48\u0e19\u0e35\u0e48",  # Thai
        "\u0ba4\u0bae\u0bbf\u0bb4\u0bcd",  # Tamil
        "re\u0301sume\u0301",  # decomposed French
        "a\u0323\u0302b",  # two marks on one letter
    ],
)
def test_words_keep_their_combining_marks(text):
    assert network.read_text(text) == text
    assert network.read_text(f"({text}2) {text}\u2014{text}!") == f"{text} {text} {text}"


@pytest.mark.parametrize(
    "text",
    [
        "\u2764\ufe0f",  # a heart, and a mark that tells how to show it
        "1\ufe0f\u20e3",  # a digit in a box
        "\u0301",
        "=\u0338",  # not equal, decomposed
        "_\u0301",
    ],
)
def test_marks_of_what_is_not_read_are_not_read(text):
    assert network.read_text(text) == ""
    assert network.read_text(f"a {text}b") == "a b"


def test_letters_beyond_ascii_numerals_and_stops_are_read_as_they_stand():
    text = "na\u00efve \u795e\u7ecf\u7f51\u7edc m\u00b2 e.g. \u2167"
    assert network.read_text(f"{text}\u00a0\u2013 5 %\n(x_y)") == f"{text} x y"
    assert network.read_text(None) == ""


def test_no_documents_give_no_rows(classifiers):
    result = classify(asked(documents(())), classifiers=classifiers)
    assert result.schema == tables.CLASSIFIED
    assert result.num_rows == 0


@pytest.mark.parametrize("layer", ["outer", "inner"])
def test_each_document_is_judged_by_the_classifier_that_it_names(classifiers, layer):
    table = documents()
    result = judge(table, classifiers=classifiers, layer=layer)
    assert result.column("document_id") == table.column("document_id")
    by_kind = {
        kind: each for each in classifiers if each.layer == layer for kind in each.document_types
    }
    for place, kind in enumerate(table.column("document_type").to_pylist()):
        classifier = by_kind[kind]
        logit = classifier.logits([TITLES[place]], [ABSTRACTS[place]])
        row = result.slice(place, 1).to_pylist()[0]
        assert row["layer"] == layer
        assert row["model_version"] == classifier.model_version
        assert row["logit"] == logit[0]
        assert row["probability"] == classifier.probabilities(logit)[0]


def test_the_inner_layer_judges_what_the_outer_one_accepts(classifiers):
    outer = judge(documents(), classifiers=classifiers, layer="outer")
    inner = judge(documents(), classifiers=classifiers, layer="inner")
    least, *_, most = sorted(outer.column("probability").to_pylist())
    for threshold in (least, (least + most) / 2, most, 1.0):
        accepted = pc.greater_equal(outer.column("probability"), threshold)
        found = classify(asked(documents(), threshold), classifiers=classifiers)
        assert found.equals(pa.concat_tables([outer, inner.filter(accepted)]))


def test_no_result_depends_on_how_many_documents_are_judged_at_once(classifiers, monkeypatch):
    table = asked(documents(), 0.1)
    whole = classify(table, classifiers=classifiers)
    monkeypatch.setattr(decision, "DOCUMENTS_AT_ONCE", 2)
    assert classify(table, classifiers=classifiers).equals(whole)
    assert classify(table.slice(0, 0), classifiers=classifiers).equals(whole.slice(0, 0))


def test_what_the_outer_layer_has_found_before_is_not_judged_again(classifiers):
    table = asked(documents(), 0.5, [0.6, 0.4, None, 0.5, None])
    outer = judge(table.filter(pc.is_null(table.column("outer_probability"))),
                  classifiers=classifiers, layer="outer")  # fmt: skip
    found = classify(table, classifiers=classifiers)
    by_layer = {
        layer: found.filter(pc.equal(found.column("layer"), layer)) for layer in ("outer", "inner")
    }
    assert by_layer["outer"].equals(outer)
    assert {"d0", "d3"} <= set(by_layer["inner"].column("document_id").to_pylist())
    assert "d1" not in by_layer["inner"].column("document_id").to_pylist()


def test_an_encoder_of_both_layers_reads_each_document_once(classifiers, monkeypatch):
    outer, inner = (
        next(each for each in classifiers if each.layer == layer and "paper" in each.document_types)
        for layer in ("outer", "inner")
    )
    assert outer.encoder_version == inner.encoder_version
    table = asked(documents(("paper",) * 5), 0.0)
    apart = [judge(table, classifiers=[each], layer=each.layer) for each in (outer, inner)]
    read = []
    vectors = LoadedClassifier.vectors

    def counted(self, titles, abstracts):
        read.extend(titles)
        return vectors(self, titles, abstracts)

    monkeypatch.setattr(LoadedClassifier, "vectors", counted)
    assert classify(table, classifiers=[outer, inner]).equals(pa.concat_tables(apart))
    assert len(read) == table.num_rows


def test_another_process_gives_the_same_bytes(classifiers):
    step = partial(classify, classifiers=classifiers)
    assert len(pickle.dumps(step)) < 5000
    here = step(asked(documents()))
    assert called_in_another_process(step, asked(documents())).equals(here)


def test_another_process_refuses_other_weights(outer, monkeypatch):
    monkeypatch.setattr(loaded, "MODELS", {})
    other = replace(outer, model_version="outer_paper/000000000000/f32/256")
    with pytest.raises(errors.ModelError, match="is wanted: give every machine the same"):
        other.logits(["a"], ["b"])


@pytest.fixture
def copied(outer, tmp_path):
    return Path(shutil.copytree(outer.folder, tmp_path / "mine" / "outer_paper"))


def test_own_classifiers_stand_before_the_packaged_ones(copied, classifiers):
    path = copied / "classifier.json"
    path.write_text(
        json.dumps(
            json.loads(path.read_text()) | {"thresholds": {"balanced": 0.25, "inclusive": 0.1}}
        )
    )
    found = load_classifiers(str(copied.parent), precision="f32", device="cpu")
    assert [each.threshold for each in found if each.folder == str(copied)] == [0.25]
    assert {each.folder for each in found} >= {each.folder for each in classifiers[1:]}


def described(folder, **changed):
    """Change what a classifier says of itself."""
    path = folder / "classifier.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def routed(classifiers, kind="paper", layer="outer"):
    """Return the languages of each classifier of a layer, and whether it judges unknown ones."""
    rows = catalogue.describe(classifiers).to_pylist()
    return [
        (row["languages"], row["judges_unknown_language"])
        for row in rows
        if (row["layer"], row["document_type"]) == (layer, kind)
    ]


def test_a_language_is_judged_by_the_first_classifier_that_supports_it(copied, monkeypatch):
    further = shutil.copytree(copied, copied.parents[1] / "further" / "outer_paper")
    described(copied, languages=["de", "en"])
    described(Path(further), languages=["de", "zh"])
    folders = {"english": [], "all": [Path(further).parent]}
    monkeypatch.setattr(catalogue, "PACKAGED_FOLDERS", folders)
    asked = {"layers": ["outer"], "document_types": ["paper"], "precision": "f32"}
    mine = str(copied.parent)
    assert routed(load_classifiers(mine, languages="all", **asked)) == [
        (["de", "en"], True),
        (["zh"], False),
    ]
    assert routed(load_classifiers(mine, languages="english", **asked)) == [(["de", "en"], True)]
    described(Path(further), languages=["de"])
    assert routed(load_classifiers(mine, languages="all", **asked)) == [(["de", "en"], True)]


def test_a_classifier_for_another_language_stands_beside_english(copied):
    described(copied, languages=["fr"], settings={"for_languages": ["fr"]})
    asked = {"layers": ["outer"], "document_types": ["paper"], "precision": "f32"}
    found = load_classifiers(str(copied.parent), languages="english", **asked)
    assert routed(found) == [(["fr"], False), (["en"], True)]


def test_a_classifier_that_is_not_there_any_more_is_not_passed_over(classifiers):
    table = asked(documents())
    place = table.column_names.index("outer_model_version")
    gone = pa.array(["outer_paper/gone/f32/256"] * table.num_rows, pa.string())
    table = table.set_column(place, "outer_model_version", gone)
    with pytest.raises(errors.ModelError, match="outer_paper/gone/f32/256 is no longer there"):
        classify(table, classifiers=classifiers)


def test_classifiers_of_one_folder_may_judge_different_languages(copied):
    shutil.copytree(copied, copied.parent / "outer_paper_de")
    described(copied.parent / "outer_paper_de", languages=["de"])
    asked = {"layers": ["outer"], "document_types": ["paper"], "precision": "f32"}
    found = load_classifiers(str(copied.parent), languages="all", **asked)
    assert [Path(each.folder).name for each in found][:2] == ["outer_paper", "outer_paper_de"]


def test_an_unfinished_classifier_of_a_language_is_refused(copied):
    (copied.parent / "outer_both_de").mkdir()
    with pytest.raises(errors.ModelError, match="outer_both_de holds no finished classifier"):
        load_classifiers(str(copied.parent))


def test_changed_weights_are_refused(copied):
    weights = copied / "head.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(errors.ModelError, match=r"head\.safetensors are not those"):
        load_classifier(copied)


@pytest.mark.parametrize(
    ("text", "message"), [("{", "cannot read"), ('{"layer": "outer"}', "lacks document_types")]
)
def test_a_broken_description_is_refused(copied, text, message):
    (copied / "classifier.json").write_text(text)
    with pytest.raises(errors.ModelError, match=message):
        load_classifier(copied)


def test_another_base_model_is_refused(copied):
    path = copied / "classifier.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base_sha256": "0" * 64}))
    with pytest.raises(errors.ModelError, match="not the one that the classifier was trained"):
        load_classifier(copied)


def test_two_classifiers_for_the_same_are_refused(copied):
    shutil.copytree(copied, copied.parent / "another")
    path = copied / "classifier.json"
    path.write_text(
        json.dumps(
            json.loads(path.read_text()) | {"thresholds": {"balanced": 0.25, "inclusive": 0.1}}
        )
    )
    with pytest.raises(errors.ModelError, match="both judge papers in the outer layer"):
        load_classifiers(str(copied.parent))


def test_a_folder_without_classifiers_is_refused(tmp_path):
    with pytest.raises(errors.ModelError, match="holds no classifier"):
        load_classifiers(str(tmp_path))


def test_bf16_judges_as_f32_does(outer):
    if not devices.computes_in_bf16("cpu"):
        pytest.skip("this processor has no bf16")
    coarse = load_classifier(outer.folder, precision="bf16", device="cpu")
    difference = outer.probabilities(outer.logits(TITLES, ABSTRACTS)) - coarse.probabilities(
        coarse.logits(TITLES, ABSTRACTS)
    )
    assert np.abs(difference).max() < 0.03


# ---------------------------------------------------------------- adapters


@pytest.mark.parametrize("name", ["inner_paper", "inner_patent", "outer_paper", "outer_patent"])
def test_adapters_are_merged_as_peft_merges_them_to_the_bit(name):
    peft = pytest.importorskip("peft")
    folder = PACKAGED_FOLDER / name
    ours = network.with_trained_weights(network.load_base("all-MiniLM-L6-v2")[0], folder)
    base = network.load_base("all-MiniLM-L6-v2")[0]
    before = network.content_hash(base)
    theirs = peft.PeftModel.from_pretrained(base, str(folder)).merge_and_unload()
    assert network.content_hash(ours) == network.content_hash(theirs) != before


@pytest.mark.parametrize(
    ("changed", "says"), [({"use_dora": True}, "use_dora"), ({"peft_type": "IA3"}, "IA3")]
)
def test_adapters_of_another_kind_are_refused(tmp_path, changed, says):
    folder = tmp_path / "mine"
    shutil.copytree(PACKAGED_FOLDER / "outer_paper", folder)
    path = folder / network.ADAPTER_FILES[0]
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(errors.ModelError, match=says):
        network.with_trained_weights(network.load_base("all-MiniLM-L6-v2")[0], folder)


def test_classifying_does_not_import_peft():
    assert called_in_another_process(_loads_without_peft)


def _loads_without_peft():
    import sys

    sys.modules["peft"] = None
    load_classifiers(layers=["outer"], precision="f32", device="cpu")
    return True
