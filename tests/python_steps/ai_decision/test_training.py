"""Training on made-up texts whose label shows in one word."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from python_steps import errors
from python_steps.ai_decision import catalogue, classifier
from python_steps.ai_decision.evaluation import measures
from python_steps.ai_decision.folders import stages
from python_steps.ai_decision.network import (
    MOST_LAYERS_READ,
    Network,
    load_base,
    tokenised,
    with_trained_weights,
)
from python_steps.ai_decision.training import examples as training_examples
from python_steps.ai_decision.training import loop, train
from python_steps.ai_decision.training.examples import LEAST_CONFIDENCE, confidence_of
from python_steps.ai_decision.training.folder import languages_judged
from python_steps.ai_decision.training.settings import METHODS, Settings
from python_steps.command_line import main
from python_steps.transformer import batches
from tests.python_steps.ai_decision.evaluation import test_folds

WORDS = ["soil", "river", "metal", "paint", "glass", "wool", "stone", "bread", "salt", "honey"]
SETTINGS = Settings(
    layer="outer",
    document_types=("paper",),
    adapter_rank=2,
    trained_layers=1,
    epochs=2,
    maximum_tokens=24,
    batch_size=16,
    learning_rate=5e-3,
)


def made_up(count=240, seed=0):
    random = np.random.default_rng(seed)
    truth = random.random(count) < 0.4
    titles = [
        " ".join([*random.choice(WORDS, 3), *(["neural networks"] if label else ["harvest"])])
        for label in truth
    ]
    return pa.table(
        {
            "document_id": [f"d{place:04}" for place in range(count)],
            "title": titles,
            "abstract": pa.array([None] * count, pa.string()),
            "is_ai": truth,
            "split": ["validation" if place % 5 == 0 else "train" for place in range(count)],
            "source_name": ["made up"] * count,
            "label_source": ["us"] * count,
            "label_confidence": pa.array([None] * count, pa.float64()),
            "sampling_weight": pa.array([None] * count, pa.float64()),
            "language": ["en"] * count,
        }
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train.train(
        made_up(), tmp_path_factory.mktemp("trained") / "outer_paper", SETTINGS, precision="f32"
    )


def files_of(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_what_a_word_tells_is_learned(trained):
    assert trained.history[-1]["average_precision"] > 0.95
    outer = classifier.load_classifier(trained.folder, precision="f32")
    unseen = made_up(100, seed=1)
    truth = unseen.column("is_ai").to_numpy(zero_copy_only=False)
    logits = outer.logits(unseen.column("title").to_pylist(), [None] * 100)
    said = outer.probabilities(logits) >= outer.threshold
    assert (said == truth).mean() > 0.95


def test_the_folder_tells_how_it_came_to_be(trained):
    told = json.loads((trained.folder / "classifier.json").read_text())
    assert told["layer"] == "outer"
    assert told["languages"] == ["en"]
    assert sum(row["count_all"] for row in told["examples"]) == 240
    assert 0 < told["thresholds"]["balanced"] < 1
    assert told["settings"]["seed"] == SETTINGS.seed
    card = (trained.folder / "README.md").read_text()
    assert "made up" in card
    assert told["sha256"]["head.safetensors"] in card
    assert not list(trained.folder.glob("checkpoint*"))


def test_the_inner_layer_has_a_threshold_of_the_best_f1_and_one_of_a_recall(tmp_path):
    examples = made_up()
    # One in eight is labelled by mistake, so that what keeps all is not what is most right.
    wrong = np.arange(examples.num_rows) % 8 == 3
    truth = examples.column("is_ai").to_numpy(zero_copy_only=False) ^ wrong
    place = examples.schema.get_field_index("is_ai")
    examples = examples.set_column(place, "is_ai", pa.array(truth))
    folder = tmp_path / "inner_paper"
    settings = replace(SETTINGS, layer="inner", recall=1.0)
    told = train.train(examples, folder, settings, precision="f32").description
    assert told["thresholds"]["inclusive"] < told["thresholds"]["balanced"]
    assert told["validation"]["inclusive"]["recall"] == 1.0
    assert told["validation"]["inclusive"]["f1"] < told["validation"]["balanced"]["f1"]
    for point, threshold in told["thresholds"].items():
        loaded = classifier.load_classifier(folder, operating_point=point, precision="f32")
        assert loaded.threshold == threshold
    card = (folder / "README.md").read_text()
    assert "of the best expected F1" in card
    assert "is expected to keep 100.0% of new AI documents" in card


@pytest.fixture(scope="module")
def head(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("head") / "inner_paper"
    settings = replace(SETTINGS, layer="inner", method="head")
    return train.train(made_up(), folder, settings, start_from=trained.folder, precision="f32")


def test_a_head_learns_on_the_encoder_of_another_classifier(trained, head):
    outer = classifier.load_classifier(trained.folder, precision="f32")
    inner = classifier.load_classifier(head.folder, precision="f32")
    assert inner.encoder_version == outer.encoder_version
    assert inner.maximum_tokens == SETTINGS.maximum_tokens
    unseen = made_up(100, seed=1)
    truth = unseen.column("is_ai").to_numpy(zero_copy_only=False)
    titles = unseen.column("title").to_pylist()
    vectors = outer.vectors(titles, [None] * 100)
    assert vectors.shape[1] == MOST_LAYERS_READ
    logits = inner.logits(titles, [None] * 100)
    assert (inner.logits_of(vectors) == logits).all()
    assert ((inner.probabilities(logits) >= inner.threshold) == truth).mean() > 0.95
    assert head.description["started_from"]["name"] == "outer_paper"
    weights = "adapter_model.safetensors"
    assert files_of(head.folder)[weights] == files_of(trained.folder)[weights]


def test_the_same_examples_give_the_same_head(trained, head, tmp_path):
    settings = replace(SETTINGS, layer="inner", method="head")
    again = train.train(
        made_up(), tmp_path / "inner_paper", settings, start_from=trained.folder, precision="f32"
    )
    assert files_of(again.folder) == files_of(head.folder)


def test_a_head_on_the_base_model_adds_nothing_but_itself(tmp_path):
    settings = replace(SETTINGS, method="head")
    found = train.train(made_up(), tmp_path / "outer_paper", settings, precision="f32")
    assert list(found.description["sha256"]) == ["head.safetensors"]
    assert found.description["started_from"] is None
    loaded = classifier.load_classifier(found.folder, precision="f32")
    base, tokenizer = load_base("all-MiniLM-L6-v2")
    plain = classifier.LoadedClassifier(Network(base), tokenizer, "cpu", SETTINGS.maximum_tokens)
    texts = (["soil and river"], ["metal"])
    assert loaded.vectors(*texts).tobytes() == plain.vectors(*texts).tobytes()


def test_a_classifier_for_a_language_is_judged_by_texts_in_it(tmp_path):
    examples = made_up()
    languages = ["de" if row % 3 else "en" for row in range(examples.num_rows)]
    place = examples.column_names.index("language")
    examples = examples.set_column(place, "language", pa.array(languages, pa.string()))
    settings = replace(SETTINGS, method="head", for_languages=("de",))
    found = train.train(examples, tmp_path / "outer_paper_de", settings, precision="f32")
    (judged,) = found.description["validation_by_language"]
    assert judged["language"] == "de"
    assert judged["examples"] == languages.count("de")
    assert found.description["languages"] == ["de"]
    assert "papers in the language de" in (found.folder / "README.md").read_text()
    with pytest.raises(
        errors.TrainingError,
        match="0 examples labelled AI in the validation split, in the language zh",
    ):
        other = replace(settings, for_languages=("zh",))
        train.train(examples, tmp_path / "outer_paper_zh", other, precision="f32")


def test_a_head_is_no_encoder(head, tmp_path):
    with pytest.raises(errors.TrainingError, match="is a head on outer_paper: go on from that"):
        train.train(
            made_up(),
            tmp_path / "inner_paper",
            replace(SETTINGS, layer="inner"),
            start_from=head.folder,
            precision="f32",
        )


def test_another_operating_point_is_refused(trained):
    with pytest.raises(errors.ModelError, match="balanced, inclusive, got 'best'"):
        classifier.load_classifier(trained.folder, operating_point="best")


def test_a_doubtful_label_counts_for_little_and_one_without_confidence_in_full():
    examples = made_up(4).set_column(
        made_up(4).schema.get_field_index("label_confidence"),
        "label_confidence",
        pa.array([None, 1.0, 0.75, 0.5]),
    )
    assert confidence_of(examples).tolist() == [1.0, 1.0, 0.5, LEAST_CONFIDENCE]


def test_the_same_examples_give_the_same_bytes(trained, tmp_path):
    again = train.train(made_up(), tmp_path / "outer_paper", SETTINGS, precision="f32")
    assert files_of(again.folder) == files_of(trained.folder)


def test_a_killed_training_goes_on_and_ends_with_the_same_bytes(trained, tmp_path):
    folder = tmp_path / "outer_paper"
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from python_steps.ai_decision.training import train
        from tests.python_steps.ai_decision.test_training import SETTINGS, made_up
        train.train(made_up(), Path(sys.argv[1]), SETTINGS, precision="f32",
                    report=lambda *_: time.sleep(0.3))
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(folder)])
    deadline = time.monotonic() + 120
    while not (folder / "checkpoint.json").exists() and time.monotonic() < deadline:
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "classifier.json").exists()
    first = json.loads((folder / "checkpoint.json").read_text())["step"]
    steps = []
    train.train(
        made_up(), folder, SETTINGS, precision="f32", report=lambda step, *_: steps.append(step)
    )
    assert steps[0] == first + 1
    assert files_of(folder) == files_of(trained.folder)


def test_an_inner_layer_goes_on_from_an_outer_one(trained, tmp_path):
    examples = made_up(300, seed=2)
    settings = Settings(**{**vars(SETTINGS), "layer": "inner", "epochs": 1})
    inner = train.train(
        examples, tmp_path / "inner_paper", settings, start_from=trained.folder, precision="f32"
    )
    first, second = stages(inner.description)
    assert first["name"] == "outer_paper"
    assert first["examples"] == trained.description["examples"]
    assert sum(row["count_all"] for row in second["examples"]) == 300
    assert (inner.folder / "README.md").read_text().count("| made up | us | AI |") == 4
    assert inner.history[0]["average_precision"] > 0.95


def test_all_weights_of_the_upper_layers_can_be_trained(tmp_path, trained):
    from safetensors.torch import load_file

    settings = replace(SETTINGS, method="full", epochs=1, learning_rate=1e-4)
    full = train.train(
        made_up(), tmp_path / "outer_paper", settings, start_from=trained.folder, precision="f32"
    )
    loaded = classifier.load_classifier(full.folder, precision="f32")
    assert loaded.logits(["neural networks"], [None]) > loaded.logits(["harvest"], [None])
    # What it goes on from differs from the base model in the last layer alone, as this one does.
    base, _ = load_base(settings.base_model)
    before = with_trained_weights(load_base(settings.base_model)[0], trained.folder).state_dict()
    after = load_file(full.folder / "encoder.safetensors")
    moved = {name for name, value in after.items() if not value.equal(before[name])}
    assert moved
    assert all(name.startswith("encoder.layer.5.") for name in moved)
    kept = {name for name in after if not name.startswith("encoder.layer.5.")}
    assert all(after[name].equal(base.state_dict()[name]) for name in kept)


CATEGORIES = {"earth": ("soil", "glass", "honey"), "water": ("river", "bread", "wool")}


def with_categories(examples):
    """Name categories for words of no common meaning, on which the label does not depend."""
    lists = [
        [name for name, words in CATEGORIES.items() if set(words) & set(title.split())] or None
        for title in examples.column("title").to_pylist()
    ]
    return examples.append_column("categories", pa.array(lists, pa.list_(pa.string())))


def parted(folder, texts, groups):
    """Return how far apart the mean vectors of two groups of texts are, in lengths of a vector."""
    base, tokenizer = load_base(SETTINGS.base_model)
    network = Network(with_trained_weights(base, folder))
    tokens, types = tokenised(tokenizer, texts, [None] * len(texts), 24)
    vectors = np.empty((len(texts), network.head.in_features))
    for batch in batches.batches(tokens, types, padding_token=0, device="cpu"):
        rows = network.vectors(batch, "cpu")[:, -1].detach().numpy()
        vectors[batch.members] = rows[: len(batch.members)]
    first, second = (vectors[np.array(groups) == group].mean(0) for group in (0, 1))
    return np.linalg.norm(first - second) / np.linalg.norm(vectors, axis=1).mean()


def test_an_encoder_that_learns_categories_parts_unseen_texts_by_them(tmp_path, monkeypatch):
    monkeypatch.setattr(training_examples, "FEWEST_EXAMPLES_OF_A_CATEGORY", 20)
    # The label is learned long before the categories: what counts as best is the last.
    steps = itertools.count()
    monkeypatch.setattr(measures, "average_precision", lambda *_: next(steps) / 1000)
    examples = with_categories(made_up(400))
    texts = [
        f"{word} and {other}"
        for word in sum(CATEGORIES.values(), ())
        for other in ("salt", "metal")
    ]
    found = []
    for weight in (0.0, 1.0):
        settings = replace(SETTINGS, epochs=4, category_weight=weight)
        folder = tmp_path / f"{weight}" / "outer_paper"
        train.train(examples, folder, settings, precision="f32")
        found.append(parted(folder, texts, [0] * 6 + [1] * 6))
        assert sorted(path.name for path in folder.glob("*.safetensors")) == [
            "adapter_model.safetensors",
            "head.safetensors",
        ]
    assert found[1] > 1.5 * found[0]


def test_weights_are_averaged_over_the_last_steps(tmp_path, monkeypatch):
    runs, weights = [], []
    take_step = loop.Run._take_step

    def watched(run, *arguments):
        take_step(run, *arguments)
        runs.append(run)
        weights.append(run._weights())

    monkeypatch.setattr(loop.Run, "_take_step", watched)
    settings = replace(SETTINGS, epochs=1)
    train.train(made_up(), tmp_path / "outer_paper", settings, precision="f32")
    name = next(iter(weights[0]))
    # The first weights of adapters are the seed's; the average holds little of them.
    average = runs[-1].average[name]
    assert not average.equal(weights[-1][name])
    expected = weights[0][name]
    for step, each in enumerate(weights[1:], start=2):
        kept = min(loop.AVERAGING, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * each[name]
    # What the average holds of the state before the first step has faded by then.
    before = np.prod(
        [min(loop.AVERAGING, (1 + step) / (10 + step)) for step in range(1, len(weights) + 1)]
    )
    largest = max(each[name].abs().max() for each in weights)
    assert (average - expected).abs().max() <= 2 * before * largest + 1e-6


def test_examples_without_frequent_categories_are_refused_where_these_are_to_be_learned(tmp_path):
    examples = with_categories(made_up(60))
    settings = replace(SETTINGS, category_weight=0.2)
    with pytest.raises(errors.TrainingError, match="no category is on 50 of the documents"):
        train.train(examples, tmp_path / "outer_paper", settings)


def test_a_training_that_learned_nothing_leaves_no_classifier(trained, tmp_path):
    folder = tmp_path / "outer_paper"
    shutil.copytree(trained.folder, folder)
    examples = made_up()
    # What is learned is the opposite of what holds in validation.
    is_held = np.array(examples.column("split").to_pylist()) == "validation"
    truth = examples.column("is_ai").to_numpy(zero_copy_only=False) ^ is_held
    examples = examples.set_column(
        examples.schema.get_field_index("is_ai"), "is_ai", pa.array(truth)
    )
    with pytest.raises(errors.TrainingError, match=r"learned nothing: .* look at the labels"):
        train.train(examples, folder, SETTINGS, precision="f32")
    assert not (folder / "classifier.json").exists()
    with pytest.raises(errors.ModelError, match="holds no finished classifier"):
        catalogue.load_classifiers(str(tmp_path), layers=["outer"], document_types=["paper"])


def judged_in(languages, wrong=0):
    """Return the languages that are judged well enough, of texts judged right but for some."""
    truth = np.arange(len(languages)) % 2 == 0
    probabilities = np.where(truth, 0.9, 0.1)
    probabilities[:wrong] = 1 - probabilities[:wrong]
    table = pa.table({"language": pa.array(languages, pa.string())})
    told = languages_judged(table, truth, probabilities, np.ones(len(truth)))
    return [each["language"] for each in told if each["is_judged_well_enough"]]


@pytest.mark.parametrize(
    ("languages", "wrong", "expected"),
    [
        (["en"] * 200, 0, ["en"]),
        (["en"] * 200, 120, []),  # enough to know that it is judged badly
        (["en"] * 60, 40, ["en"]),  # too few to know
        (["en"] * 40 + [None] * 50, 0, ["en"]),
        (["en"] * 120 + ["de"] * 100 + ["fr"] * 90, 0, ["de", "en"]),
        (["en", "de", "fr"] * 30, 0, []),
    ],
)
def test_a_language_is_judged_by_its_own_examples_where_these_are_enough(
    languages, wrong, expected
):
    assert judged_in(languages, wrong) == expected


def test_longer_texts_than_the_base_model_reads_are_refused(tmp_path):
    settings = replace(SETTINGS, maximum_tokens=513)
    with pytest.raises(errors.TrainingError, match="reads at most 512 tokens, and --maximum-"):
        train.train(made_up(), tmp_path / "outer_paper", settings)


def test_an_output_that_cannot_be_made_is_told_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(errors.TrainingError, match=r"cannot be made \(Not a directory\)"):
        train.train(made_up(), tmp_path / "file" / "outer_paper", SETTINGS)


def test_a_classifier_does_not_go_on_from_itself(trained):
    with pytest.raises(errors.TrainingError, match="choose another --output"):
        train.train(made_up(), trained.folder, SETTINGS, start_from=trained.folder)


@pytest.fixture
def warehouse(tmp_path):
    """A warehouse of examples of which the outer layer is to accept what is not AI as well."""
    examples = test_folds.made().drop_columns("split")
    split = [
        "validation" if int(name[1:]) // 10 % 8 == 3 else "train"
        for name in examples.column("document_id").to_pylist()
    ]
    examples = examples.append_column("split", pa.array(split))
    examples = examples.append_column("categories", pa.nulls(len(split), pa.list_(pa.string())))
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.register("examples", examples)
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.classifier_examples as "
            "select * rename (is_ai as label_is_ai) from examples"
        )
    return path


def command(warehouse, layer, output):
    words = ["train", "--warehouse", warehouse, "--layer", layer, "--document-type", "paper"]
    words += ["--output", output, "--epochs", 2, "--trained-layers", 1, "--adapter-rank", 2]
    words += ["--maximum-tokens", 16, "--batch-size", 16, "--precision", "f32"]
    words += ["--recall", 0.99] if layer == "outer" else []
    shown = CliRunner().invoke(main.main, [str(word) for word in words])
    return shown.exit_code, " ".join(shown.output.split())


def test_the_command_trains_an_inner_layer_on_what_the_outer_one_accepts(warehouse, tmp_path):
    output = tmp_path / "mine"
    (output / "outer_paper").mkdir(parents=True)
    code, said = command(warehouse, "inner", output)
    assert (code, "outer_paper holds no finished classifier" in said) == (2, True)
    code, said = command(warehouse, "outer", output)
    assert code == 0, said
    assert "languages accepted: en" in said
    code, said = command(warehouse, "inner", output)
    assert code == 0, said
    assert f"Checking which of 700 examples {output / 'outer_paper'} accepts" in said
    told = {
        name: json.loads((output / name / "classifier.json").read_text())
        for name in ("outer_paper", "inner_paper")
    }
    counts = [sum(row["count_all"] for row in each["examples"]) for each in told.values()]
    assert counts[0] == 700 > counts[1] > 100
    assert told["inner_paper"]["started_from"]["examples"] == told["outer_paper"]["examples"]


def test_examples_of_the_test_split_are_refused(tmp_path):
    examples = made_up()
    spoilt = examples.set_column(
        examples.column_names.index("split"), "split", pa.array(["test", *["train"] * 239])
    )
    with pytest.raises(errors.TrainingError, match="split test must not train"):
        train.train(spoilt, tmp_path / "outer_paper", SETTINGS)


@pytest.mark.parametrize("count", [0, 30])
def test_too_few_examples_are_refused(tmp_path, count):
    with pytest.raises(errors.TrainingError, match="are needed: deliver more labels"):
        train.train(made_up().slice(0, count), tmp_path / "outer_paper", SETTINGS)


def test_adapters_go_on_from_adapters_only(tmp_path):
    settings = replace(SETTINGS, method="full", epochs=1, learning_rate=1e-4)
    full = train.train(made_up(), tmp_path / "full", settings, precision="f32")
    with pytest.raises(errors.TrainingError, match="holds no adapters"):
        train.train(made_up(), tmp_path / "outer_paper", SETTINGS, start_from=full.folder)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("damage", ["missing", "changed", "another base"])
def test_a_start_that_is_not_what_was_trained_is_refused(trained, tmp_path, method, damage):
    start = tmp_path / "start"
    shutil.copytree(trained.folder, start)
    if damage == "missing":
        (start / "adapter_model.safetensors").unlink()
    elif damage == "changed":
        (start / "head.safetensors").write_bytes(b"0" * 100)
    else:
        told = json.loads((start / "classifier.json").read_text())
        (start / "classifier.json").write_text(json.dumps(told | {"base_sha256": "0" * 64}))
    settings = replace(SETTINGS, method=method)
    with pytest.raises(errors.ModelError):
        train.train(made_up(), tmp_path / "outer_paper", settings, start_from=start)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"adapter_rank": 4}, "has adapter rank 2, not 4: go on with --adapter-rank 2"),
        ({"trained_layers": 2}, "has trained layers 1, not 2: go on with --trained-layers 1"),
        ({"base_model": "bert"}, f"has base model {SETTINGS.base_model}, not bert"),
    ],
)
def test_a_start_of_another_kind_is_refused(trained, tmp_path, changed, said):
    settings = replace(SETTINGS, **changed)
    with pytest.raises(errors.TrainingError, match=said):
        train.train(made_up(), tmp_path / "outer_paper", settings, start_from=trained.folder)
