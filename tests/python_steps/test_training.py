"""Training on made-up texts whose label shows in one word."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from python_steps import classification, training
from python_steps.training import Settings

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
            "language": ["en"] * count,
        }
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return training.train(
        made_up(), tmp_path_factory.mktemp("trained") / "outer_paper", SETTINGS, precision="f32"
    )


def files_of(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_what_a_word_tells_is_learned(trained):
    assert trained.history[-1]["average_precision"] > 0.95
    outer = classification.load_classifier(trained.folder, precision="f32")
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
    assert 0 < told["threshold"] < 1
    assert told["settings"]["seed"] == SETTINGS.seed
    card = (trained.folder / "README.md").read_text()
    assert "made up" in card
    assert told["sha256"]["head.safetensors"] in card
    assert not list(trained.folder.glob("checkpoint*"))


def test_a_recall_decides_the_threshold_of_the_inner_layer_only_where_it_is_asked_for(tmp_path):
    examples = made_up()
    # One in eight is labelled by mistake, so that what keeps all is not what is most right.
    wrong = np.arange(examples.num_rows) % 8 == 3
    truth = examples.column("is_ai").to_numpy(zero_copy_only=False) ^ wrong
    place = examples.schema.get_field_index("is_ai")
    examples = examples.set_column(place, "is_ai", pa.array(truth))
    found = [
        training.train(
            examples,
            tmp_path / f"{recall}" / "inner_paper",
            replace(SETTINGS, layer="inner", recall=recall),
            precision="f32",
        ).description
        for recall in (None, 1.0)
    ]
    best, kept = found
    assert best["settings"]["recall"] is None
    assert kept["threshold"] < best["threshold"]
    assert kept["validation"]["recall"] == 1.0
    assert kept["validation"]["f1"] < best["validation"]["f1"]
    cards = [(tmp_path / f"{recall}/inner_paper/README.md").read_text() for recall in (None, 1.0)]
    assert "has the best expected F1" in cards[0]
    assert "keeps 100% of the AI documents" in cards[1]


def test_the_same_examples_give_the_same_bytes(trained, tmp_path):
    again = training.train(made_up(), tmp_path / "outer_paper", SETTINGS, precision="f32")
    assert files_of(again.folder) == files_of(trained.folder)


def test_a_killed_training_goes_on_and_ends_with_the_same_bytes(trained, tmp_path):
    folder = tmp_path / "outer_paper"
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from python_steps import training
        from tests.python_steps.test_training import SETTINGS, made_up
        training.train(made_up(), Path(sys.argv[1]), SETTINGS, precision="f32",
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
    training.train(
        made_up(), folder, SETTINGS, precision="f32", report=lambda step, *_: steps.append(step)
    )
    assert steps[0] == first + 1
    assert files_of(folder) == files_of(trained.folder)


def test_an_inner_layer_goes_on_from_an_outer_one(trained, tmp_path):
    outer = classification.load_classifier(trained.folder, precision="f32")
    examples = made_up(300, seed=2)
    some = training.accepted(examples, outer)
    assert 0 < some.num_rows < examples.num_rows
    settings = Settings(**{**vars(SETTINGS), "layer": "inner", "epochs": 1})
    inner = training.train(
        examples, tmp_path / "inner_paper", settings, start_from=trained.folder, precision="f32"
    )
    first, second = classification.stages(inner.description)
    assert first["name"] == "outer_paper"
    assert first["examples"] == trained.description["examples"]
    assert sum(row["count_all"] for row in second["examples"]) == 300
    assert (inner.folder / "README.md").read_text().count("| made up | us | AI |") == 4
    assert inner.history[0]["average_precision"] > 0.95


def test_all_weights_can_be_trained(tmp_path):
    settings = Settings(**{**vars(SETTINGS), "method": "full", "epochs": 1, "learning_rate": 1e-4})
    full = training.train(made_up(), tmp_path / "outer_paper", settings, precision="f32")
    assert (full.folder / "encoder.safetensors").is_file()
    loaded = classification.load_classifier(full.folder, precision="f32")
    assert loaded.logits(["neural networks"], [None]) > loaded.logits(["harvest"], [None])


def test_examples_of_the_test_split_are_refused(tmp_path):
    examples = made_up()
    spoilt = examples.set_column(
        examples.column_names.index("split"), "split", pa.array(["test", *["train"] * 239])
    )
    with pytest.raises(training.TrainingError, match="split test must not train"):
        training.train(spoilt, tmp_path / "outer_paper", SETTINGS)


@pytest.mark.parametrize("count", [0, 30])
def test_too_few_examples_are_refused(tmp_path, count):
    with pytest.raises(training.TrainingError, match="are needed: deliver more labels"):
        training.train(made_up().slice(0, count), tmp_path / "outer_paper", SETTINGS)


def test_adapters_go_on_from_adapters_only(trained, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "classifier.json").write_text((trained.folder / "classifier.json").read_text())
    with pytest.raises(training.TrainingError, match="holds no adapters"):
        training.train(made_up(), tmp_path / "outer_paper", SETTINGS, start_from=bare)
