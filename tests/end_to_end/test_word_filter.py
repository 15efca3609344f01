"""A word filter in a build: what it refuses, what is audited, and when nothing is published."""

import json
import shutil
import subprocess
from itertools import islice, product

import numpy as np
import pytest
from safetensors.numpy import save_file

from python_steps.ai_decision import word_filter
from python_steps.ai_decision.folders import WORD_FILTER_FILE
from python_steps.ai_decision.training.folder import sha256_of
from python_steps.errors import BELOW_FLOOR
from tests.end_to_end.conftest import build, command, environment, place_in

pytestmark = pytest.mark.slow

KNEE = "Patients with osteoarthritis were followed for ten years after surgery of the knee."
NETWORK = (
    "We train deep convolutional neural networks for image recognition and win a benchmark of "
    "object detection by machine learning."
)
KNEES, NETWORKS = 900, 40
DECISIONS = """
    select document_id, is_ai, decided_by, decision_source, reason, outer_probability, filter_score
    from intermediate.int_documents_decided order by document_id
"""


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """A file of papers of which most are about knees."""
    path = tmp_path_factory.mktemp("papers") / "papers.jsonl"
    places = ("".join(letters) for letters in product("bcdfglmnprst", "aeiou", "bdlmnrst", "aeo"))
    with path.open("w", encoding="utf-8") as file:
        for count, place in enumerate(islice(places, KNEES + NETWORKS)):
            text = KNEE if count < KNEES else NETWORK
            title = f"{'Knees' if count < KNEES else 'Deep neural networks'} of {place}"
            row = {"id": place, "title": title, "abstract": text, "language": "en"}
            file.write(f"{json.dumps(row)}\n")
    return path


def arguments(papers, **variables):
    variables = ", ".join(f"{name}: {value}" for name, value in variables.items())
    words = ("--papers", f"tables={papers}", "--select", "+filter_audit")
    return (*words, "--vars", f"{{{variables}}}")


@pytest.fixture(scope="module")
def filtered(papers, tmp_path_factory):
    place = place_in(tmp_path_factory.mktemp("filtered"))
    return build(place, *arguments(papers, word_filter="true"))


def test_what_the_filter_refuses_never_reaches_the_layers_but_for_a_sample(filtered):
    ((documents, accepted, refused_by_filter),) = filtered.rows(
        "select count(*), count(*) filter (where is_ai), "
        "count(*) filter (where decided_by = 'filter') from intermediate.int_documents_decided"
    )
    # Of papers whose titles are as good as equal one is left.
    assert accepted == documents - KNEES > NETWORKS / 2
    audited = KNEES - refused_by_filter
    assert 430 < audited < 570  # some five hundred, by hash
    ((judged,),) = filtered.rows(
        "select count(distinct document_id) from intermediate.int_documents_classified"
    )
    assert judged == accepted + audited
    refused = filtered.rows(
        "select distinct is_ai, decision_source, reason, outer_probability is null, "
        "filter_score < filter_threshold from intermediate.int_documents_decided "
        "where decided_by = 'filter'"
    )
    (version,) = filtered.rows("select model_version from intermediate.int_word_filters_loaded")
    reason = "score of the word filter below its threshold"
    assert refused == [(False, version[0], reason, True, True)]
    (audit,) = filtered.rows(
        "select document_type, documents, documents_below_threshold, audited_documents, "
        "audited_accepted, recall, recall_high from marts.filter_audit"
    )
    assert audit == ("paper", documents, KNEES, audited, 0, 1.0, 1.0)


def test_a_refresh_with_and_without_the_filter_decides_as_a_build_from_nothing(
    filtered, papers, tmp_path
):
    place = place_in(tmp_path)
    shutil.copyfile(filtered.warehouse, place.warehouse)
    plain = build(place, *arguments(papers, word_filter="false"))
    by = plain.rows(
        "select distinct decided_by, filter_score from intermediate.int_documents_decided"
    )
    assert sorted(by) == [("inner", None), ("outer", None)]
    assert plain.rows("from marts.filter_audit") == []
    # The layers have judged them all by now, and the filter refuses the same ones still.
    again = build(place, *arguments(papers, word_filter="true"))
    assert again.rows(DECISIONS) == filtered.rows(DECISIONS)


def test_a_filter_that_loses_ai_stops_the_build_before_publication(filtered, papers, tmp_path):
    folder = tmp_path / "mine" / "filter_paper"
    folder.mkdir(parents=True)
    weights = folder / word_filter.WEIGHTS_FILE
    nothing = np.zeros(word_filter.PLACES, np.float16)
    save_file({"weight": nothing, "intercept": np.array([-9], np.float32)}, weights)
    told = {"document_type": "paper", "languages": ["en"], "threshold": 0.0}
    told["sha256"] = {weights.name: sha256_of(weights)}
    (folder / WORD_FILTER_FILE).write_text(json.dumps(told))
    place = place_in(tmp_path)
    shutil.copyfile(filtered.warehouse, place.warehouse)
    run = subprocess.run(
        command(place, *arguments(papers, word_filter="true", classifiers=folder.parent)),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == BELOW_FLOOR, run.stdout + run.stderr
    assert "filter_audit" in run.stdout + run.stderr
    ((recall, high),) = place.rows("select recall, recall_high from marts.filter_audit")
    assert recall == high == 0
