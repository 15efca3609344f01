"""
Speed of the classifier beside the published way of calling a BERT: every text padded to 512 tokens.

Times are processor seconds of this process; the assertion is about their ratio and equal decisions.
"""

import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest
import torch

from python_steps.ai_decision.classifier import load_classifier
from python_steps.ai_decision.evaluation import measures
from python_steps.ai_decision.folders import PACKAGED_FOLDER, read_description
from python_steps.ai_decision.network import (
    HEAD_FILE,
    Network,
    load_base,
    read_text,
    with_trained_weights,
)
from python_steps.transformer import batches, devices
from tests import real_data
from tests.benchmarks.conftest import processor_seconds

pytestmark = pytest.mark.slow


def published(classifier, titles, abstracts):
    """Return logits in f32, eight texts at a time, each padded to 512 tokens."""
    told = read_description(Path(classifier.folder))
    base, tokenizer = load_base(told["base_model"])
    network = Network(with_trained_weights(base, Path(classifier.folder)))
    network.load_head(Path(classifier.folder) / HEAD_FILE)
    found = []
    with torch.inference_mode():
        for start in range(0, len(titles), 8):
            part = slice(start, start + 8)
            encoded = tokenizer(
                [read_text(text) for text in titles[part]],
                [read_text(text) for text in abstracts[part]],
                truncation=True,
                padding="max_length",
                max_length=512,
                return_tensors="np",
            )
            names = ("input_ids", "attention_mask", "token_type_ids")
            batch = batches.Batch(np.arange(8), *(encoded[name] for name in names))
            found.append(network(batch, "cpu").numpy())
    return np.concatenate(found)


def test_classifying_beside_padding_to_512_tokens(capsys):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    papers = real_data.path_of("papers.parquet")
    rows = duckdb.sql(
        f"select title, abstract, label_is_ai from '{papers}' where source = 'cset_arxiv_dev' "
        "order by md5(id || 'speed') limit 320"
    ).fetchall()
    titles, abstracts, truth = (list(column) for column in zip(*rows, strict=True))
    truth = np.array(truth)
    folder = PACKAGED_FOLDER / "outer_paper"
    results = {}
    for precision in ("f32", "bf16"):
        if precision == "bf16" and not devices.computes_in_bf16("cpu"):
            continue
        classifier = load_classifier(folder, precision=precision, device="cpu")
        classifier.logits(titles[:16], abstracts[:16])
        results[precision] = processor_seconds(
            lambda judge=classifier.logits: judge(titles, abstracts)
        )
    slow = titles[:96], abstracts[:96]
    cost, logits = processor_seconds(lambda: published(classifier, *slow))
    torch.set_num_threads(threads)
    rate = {name: len(titles) / seconds for name, (seconds, _) in results.items()}
    usual = len(slow[0]) / cost
    with capsys.disabled():
        told = ", ".join(f"{name} {value:.1f}" for name, value in rate.items())
        sys.stdout.write(
            f"\ndocuments per processor second: {told}, padded to 512 in f32 {usual:.1f}; "
            f"ratios {', '.join(f'{value / usual:.1f}' for value in rate.values())}\n"
        )
    exact = classifier.probabilities(results["f32"][1])
    for _, found in results.values():
        said = classifier.probabilities(found) >= classifier.threshold
        wanted = measures.measures(truth, exact, classifier.threshold)["f1"]
        f1 = measures.measures(truth, classifier.probabilities(found), classifier.threshold)["f1"]
        # One document of 320 over the threshold moves it by .016.
        assert abs(f1 - wanted) < 0.02
        assert (said == (exact >= classifier.threshold)).mean() > 0.99
    # The same network in f32; what differs is where texts over 256 tokens are cut.
    agree = (classifier.probabilities(logits) >= classifier.threshold) == (
        exact[: len(logits)] >= classifier.threshold
    )
    assert agree.mean() > 0.97
    if "bf16" in rate:
        assert rate["bf16"] / usual > 6
