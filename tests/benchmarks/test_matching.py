"""The command that compares ways of matching: what it draws, measures, judges and writes."""

import csv
import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from tests.benchmarks.matching import cell, corpus, methods, realism
from tests.benchmarks.matching import report as reporting
from tests.benchmarks.matching.__main__ import main

pytestmark = pytest.mark.slow

MEASURED = "ours-exact-f32,ours-hnsw,brute,loop"


def run(folder, *arguments, methods=MEASURED):
    sizes = ["--patents", "2000", "--papers", "400", "--judged", "100", "--searched", "200"]
    arguments = [str(folder), "--threads", "1", "--methods", methods, *sizes, *arguments]
    return CliRunner().invoke(main, arguments)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    result = run(folder)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return corpus.draw(tmp_path_factory.mktemp("drawn"), patents=3000, papers=600)


def rows_of(folder):
    with (folder / "matching.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


# --- the command --------------------------------------------------------------------------------


def test_every_method_is_measured_and_judged(measured):
    rows = {row["method"]: row for row in rows_of(measured) if row["is_default"] == "true"}
    assert list(rows) == MEASURED.split(",")
    for row in rows.values():
        assert float(row["recall_at_1"]) == 1
        assert row["year_violations"] == "0"
        assert float(row["search_processor_ms"]) > 0
        assert float(row["resident_mib"]) > float(row["own_mib"]) > 20
        assert 0 < float(row["peak_share_f32"]) < 1
    assert all(rows[name]["recall_at_k"] == "1" for name in ("ours-exact-f32", "brute"))
    assert float(rows["ours-hnsw"]["recall_at_k"]) > 0.98
    assert (rows["loop"]["recall_at_k"], rows["loop"]["papers_searched"]) == ("", "20")
    assert float(rows["loop"]["search_processor_ms"]) > 5 * float(
        rows["brute"]["search_processor_ms"]
    )


def test_only_what_is_not_measured_in_full_is_called_extrapolated(measured):
    searched = {
        (row["method"], row["setting"]): (row["papers_searched"], row["is_extrapolated"])
        for row in rows_of(measured)
    }
    assert searched["ours-hnsw", ""] == ("400", "false")
    assert searched["ours-hnsw", "64"] == ("200", "true")
    assert searched["brute", ""] == ("100", "true")
    assert searched["loop", ""] == ("20", "true")


def test_the_report_holds_a_line_for_each_method_and_a_plot(measured):
    lines = (measured / "matching.md").read_text().splitlines()
    of_size = lines[lines.index("## 2,000 patents, 400 papers") :]
    for method in MEASURED.split(","):
        line = next(line for line in of_size if line.startswith(f"| {method} |"))
        assert ("~" in line) == (method in ("brute", "loop"))
    assert (measured / "matching.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_measured_is_not_measured_again(measured, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(measured, folder)
    before = (folder / "matching.csv").read_bytes()
    again = run(folder)
    assert (again.exit_code, again.stderr) == (0, "")
    assert (folder / "matching.csv").read_bytes() == before
    # As after a kill.
    (folder / "cells" / "2000x400" / "brute.json").unlink()
    assert run(folder).stderr == "measuring brute 2000 method ...\n"
    other = run(folder, "--seed", "1", methods="brute")
    assert other.stderr == "measuring 2000 corpus ...\nmeasuring brute 2000 method ...\n"


def test_a_library_that_is_missing_is_named_and_does_no_harm(measured, tmp_path, monkeypatch):
    folder = tmp_path / "copy"
    shutil.copytree(measured, folder)
    monkeypatch.setattr(methods.Hnswlib, "library", "no_such_library")
    result = run(folder, methods="brute,hnswlib")
    assert result.exit_code == 0
    assert "hnswlib is left out: no_such_library is not installed" in result.stderr
    assert "Left out: hnswlib: no_such_library" in (folder / "matching.md").read_text()


def test_a_method_that_fails_is_named_and_the_others_are_told(measured, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(measured, folder)
    (folder / "cells" / "2000x400" / "brute.json").unlink()
    (folder / "2000x400" / "patents.npy").unlink()
    result = run(folder, methods="brute,loop")
    assert result.exit_code == 1
    assert "brute at 2,000 patents failed: FileNotFoundError" in result.stderr
    assert [row["method"] for row in rows_of(folder)] == ["loop"]


def test_figures_of_two_machines_are_not_mixed(measured, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(measured, folder)
    machine = json.loads((folder / "machine.json").read_text())
    (folder / "machine.json").write_text(json.dumps(machine | {"processor": "another"}))
    result = run(folder)
    assert result.exit_code == 2
    assert "figures of another machine" in result.stderr


# --- what is drawn ------------------------------------------------------------------------------


def test_equal_seeds_draw_equal_documents(drawn, tmp_path):
    again = corpus.draw(tmp_path / "again", patents=3000, papers=600)
    other = corpus.draw(tmp_path / "other", patents=3000, papers=600, seed=1)
    for name in ("patents.npy", "papers.npy", "patents.years.npy"):
        of_drawn = (drawn.folder / name).read_bytes()
        assert (again.folder / name).read_bytes() == of_drawn
        assert ((other.folder / name).read_bytes() == of_drawn) == ("years" in name)


def test_drawn_vectors_are_of_length_one_and_read_as_they_were_written(drawn):
    for side in (drawn.papers, drawn.patents):
        vectors = np.load(f"{side.stem}.npy")
        assert vectors.shape == (len(side), corpus.WIDTH)
        assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
        rows = np.array([5, 6, 7, 2, 3, 11, 0, len(side) - 1])
        assert (side.take(rows) == vectors[rows]).all()
        assert (np.concatenate([part for _, part in side.blocks(3, 90)]) == vectors[3:90]).all()


def test_half_of_the_patents_are_of_the_last_five_years(drawn):
    years = drawn.patents.years
    assert (np.diff(years) <= 0).all()
    assert years[0] == corpus.LAST_YEAR
    assert 0.48 < np.mean(years > corpus.LAST_YEAR - 5) < 0.52
    assert np.mean(drawn.papers.years > corpus.LAST_YEAR - 6) == pytest.approx(0.5, abs=0.03)


def test_neighbours_are_as_near_as_those_of_real_texts(drawn):
    # Real titles and abstracts, 1,557 patents: .51, .40, .28; dimension 33, skewness 4.5.
    sides = [(side.read(0, len(side)), side.years) for side in (drawn.papers, drawn.patents)]
    found = realism.figures(*sides)
    assert found["similarity at rank 1"] == pytest.approx(0.52, abs=0.04)
    assert found["similarity at rank 10"] == pytest.approx(0.42, abs=0.04)
    assert found["similarity at rank 100"] == pytest.approx(0.29, abs=0.04)
    assert 25 < found["intrinsic dimension"] < 45
    assert found["skewness of hubs"] > 1.5


# --- how it is judged ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def truth(drawn):
    """Positions of the nearest patents of every paper in float64, and their similarities."""
    papers, patents = (
        side.read(0, len(side)).astype(np.float64) for side in (drawn.papers, drawn.patents)
    )
    scores = papers @ patents.T
    scores[drawn.patents.years[None, :] < drawn.papers.years[:, None]] = -np.inf
    order = np.argsort(-scores, axis=1)[:, :10]
    similarities = np.take_along_axis(scores, order, 1)
    rows = np.arange(len(papers))
    order[similarities == -np.inf] = -1
    similarities[similarities == -np.inf] = np.nan
    np.savez(drawn.folder / "truth.npz", rows=rows, similarities=similarities)
    return order, similarities


def test_the_exact_answer_is_that_of_double_precision(drawn, truth):
    rows = np.arange(0, len(drawn.papers), 7)
    answer = cell.exact_answer(drawn, rows, 10)
    np.testing.assert_allclose(answer, truth[1][rows], rtol=0, atol=1e-12)


def test_what_is_missed_or_too_early_or_twice_does_not_count(drawn, truth):
    rows = np.arange(len(drawn.papers))

    def judged(positions):
        found = cell.judgement(drawn, rows, positions, 10, finds_one=False)
        return found["recall_at_1"], found["recall_at_k"], found["year_violations"]

    positions = truth[0]
    whole = np.flatnonzero((positions >= 0).all(axis=1))
    assert judged(positions) == (1, 1, 0)
    missed, twice, early = positions.copy(), positions.copy(), positions.copy()
    missed[:, 0] = -1
    assert judged(missed)[0] == 0
    assert judged(missed)[1] < 0.9001
    twice[whole, 9] = twice[whole, 8]
    assert judged(twice)[1] == pytest.approx(1 - 0.1 * len(whole) / len(rows))
    early[whole[0], 9] = len(drawn.patents) - 1
    before = int(drawn.patents.years[-1] < drawn.papers.years[whole[0]])
    assert (judged(early)[2], before) == (1, 1)


def test_fewer_papers_are_still_of_every_year():
    rows = np.arange(1000)
    some = cell.thinned(rows, 100, seed=3)
    assert len(some) == 100
    assert (some // 10 == np.arange(100)).all()
    assert (cell.thinned(rows, 2000, seed=3) == rows).all()


# --- how it is reported -------------------------------------------------------------------------


def test_growth_is_the_exponent_of_a_power():
    sizes = [10**4, 10**5, 10**6]
    assert reporting.exponent(sizes, [3 * size**0.7 for size in sizes]) == pytest.approx(0.7)
    assert reporting.exponent([10**4], [1.0]) is None


def test_time_at_equal_recall_lies_between_two_settings():
    rows = [
        {"recall_at_k": 0.9, "search_processor_ms": 1.0},
        {"recall_at_k": 0.99, "search_processor_ms": 4.0},
    ]
    halfway = 1 - 10**-1.5
    assert reporting.at_recall(rows, "search_processor_ms", halfway) == pytest.approx(2)
    assert reporting.at_recall(rows, "search_processor_ms", 0.8) == pytest.approx(1)
    assert reporting.at_recall(rows, "search_processor_ms", 0.995) is None


@pytest.mark.parametrize(
    ("exact", "place"), [((1, 100), 10**4.5), ((1, 9), None), ((11, 100), None)]
)
def test_where_exact_and_index_cross(exact, place):
    rows = [
        {
            "method": method,
            "patents": size,
            "is_default": True,
            "total_processor_seconds": seconds,
        }
        for method, both in [("exact", exact), ("index", (10, 10))]
        for size, seconds in zip((10**4, 10**5), both, strict=True)
    ]
    found, sentence = reporting.crossing(rows, "exact", "index")
    assert found == (place and pytest.approx(place))
    assert sentence.startswith(
        "index" if exact == (11, 100) else "exact" if place is None else "Up"
    )


# --- all of them --------------------------------------------------------------------------------


def test_ours_beside_all_that_are_installed(tmp_path, report):
    # Ten minutes on one core; README.md and docs tell of more patents.
    arguments = [str(tmp_path), "--threads", "1", "--patents", "30000", "--papers", "6000"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    rows = rows_of(tmp_path)
    for row in rows:
        report(
            f"30,000 patents, {row['method']} {row['setting']}",
            **{name: row[name] for name in ("search_processor_ms", "recall_at_1", "recall_at_k")},
        )
    assert {row["year_violations"] for row in rows} == {"0"}
    ours = {
        row["method"]: row
        for row in rows
        if row["is_default"] == "true" and row["method"].startswith("ours")
    }
    for row in ours.values():
        assert float(row["recall_at_1"]) >= 0.99
        assert float(row["recall_at_k"]) >= 0.985
    loop = next(row for row in rows if row["method"] == "loop")
    auto, loop = (float(row["total_processor_seconds"]) for row in (ours["ours-auto"], loop))
    assert loop > 20 * auto
