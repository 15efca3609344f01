"""Claims about the baselines that the classifiers are held against."""

import numpy as np
import pyarrow as pa
import pytest

from python_steps import tables
from python_steps.ai_decision.evaluation import baselines

SPLITS = ["train"] * 60 + ["validation"] * 20 + ["test"] * 20


class Letters:
    """Stands in for an encoder: counts letters."""

    model_version = "letters"

    def encode(self, texts):
        return np.array([[text.count("n"), text.count("s"), 1] for text in texts], np.float32)


def examples(truth=None):
    """Return labelled documents; what is AI speaks of networks, what is not of soil."""
    truth = [row % 2 == 0 for row in range(100)] if truth is None else truth
    subjects = ["neural network" if row % 2 == 0 else "sandy soil" for row in range(100)]
    return pa.table(
        {
            "document_id": [f"W{row:03}" for row in range(100)],
            "title": [f"a study of {subject}" for subject in subjects],
            "abstract": [None if row % 5 else f"more on the {s}" for row, s in enumerate(subjects)],
            "is_ai": truth,
            "split": SPLITS,
        }
    )


@pytest.mark.parametrize("name", [baselines.TFIDF, baselines.EMBEDDING])
def test_a_baseline_learns_what_parts_the_labels(name):
    found = baselines.judge(examples(), encoder=Letters())
    assert found.schema == tables.BASELINE_JUDGEMENTS
    rows = [row for row in found.to_pylist() if row["baseline"] == name]
    assert [row["document_id"] for row in rows] == [f"W{row:03}" for row in range(80, 100)]
    said = [row["probability"] >= row["threshold"] for row in rows]
    assert said == [row % 2 == 0 for row in range(80, 100)]


def test_without_an_encoder_only_words_are_read():
    assert set(baselines.judge(examples())["baseline"].to_pylist()) == {baselines.TFIDF}


def test_a_label_of_the_test_split_changes_nothing():
    truth = [row % 2 == 0 for row in range(100)]
    told = baselines.judge(examples(truth), encoder=Letters())
    assert baselines.judge(examples(truth[:80] + [True] * 20), encoder=Letters()) == told


def test_a_document_is_judged_alike_among_fewer():
    whole = baselines.judge(examples(), encoder=Letters()).to_pylist()
    few = baselines.judge(examples().slice(0, 90), encoder=Letters()).to_pylist()
    assert few == [row for row in whole if row["document_id"] < "W090"]


@pytest.mark.parametrize(
    "table",
    [
        examples().slice(0, 0),
        examples().slice(0, 80),  # nothing to judge
        examples([True] * 100),
        examples([row < 5 for row in range(100)]),  # no AI in validation
    ],
)
def test_too_few_examples_give_no_rows(table):
    found = baselines.judge(table, encoder=Letters())
    assert (found.num_rows, found.schema) == (0, tables.BASELINE_JUDGEMENTS)


def test_texts_without_a_common_word_are_no_error():
    table = examples()
    place = table.column_names.index("title")
    titles = pa.array([f"w{chr(97 + row % 26) * (2 + row // 26)}" for row in range(100)])
    table = table.set_column(place, "title", titles).drop_columns("abstract")
    found = baselines.judge(table.append_column("abstract", pa.nulls(100, pa.string())))
    assert found.num_rows == 20
