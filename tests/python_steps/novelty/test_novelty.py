"""What the scores of novelty promise, held against streams whose communities are known."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from safetensors import safe_open

from python_steps import tables
from python_steps.engine import progress
from python_steps.novelty import block_model, scoring
from python_steps.novelty.block_model import BlockModel
from python_steps.novelty.hyperedges import Hyperedges
from python_steps.novelty.settings import Settings, version
from python_steps.novelty.years import walk
from tests import novelty_streams as streams
from tests.python_steps.another_process import called_in_another_process

SETTINGS = Settings(communities=24, burn_in_documents=3000)
# Two fits, of 600 and of 1,200 documents, and years that are only learned.
QUICK = Settings(communities=8, burn_in_documents=600, settled_documents=1200)


@pytest.fixture(autouse=True)
def _silent(monkeypatch):
    monkeypatch.setenv(progress.PROGRESS_VARIABLE, "0")


@pytest.fixture(scope="module")
def stream():
    return streams.drifting(30_000, 3000, 20, years=12, stray=0.08, mixed=0.02, seed=3)


@pytest.fixture(scope="module")
def judged(stream):
    """Return AUCs by year, and the model after the last year."""
    random = np.random.default_rng(5)
    found = {"degree matched": [], "planted": []}
    for step in walk(stream.table, SETTINGS):
        model = step.model
        if model is None or step.year % 3:
            continue
        real = streams.known_part(model, step.hyperedges)
        others = {
            "degree matched": streams.degree_matched(real, random),
            "planted": streams.planted(step.hyperedges, stream.documents_of[step.rows], random),
        }
        for name, unlikely in others.items():
            unlikely = streams.known_part(model, unlikely)
            found[name].append(
                streams.auc_by_size(
                    model.surprise(real), real.sizes, model.surprise(unlikely), unlikely.sizes
                )
            )
    return found, model


@pytest.fixture
def small():
    return streams.drifting(2400, 400, 6, years=8, seed=1).table


def scored(table, settings=QUICK, **options):
    return scoring.score(table, settings=settings, **options)


def rows(*lists, years, weights=None):
    """Return a small table of one corpus."""
    edges = streams.hyperedges_of(lists)
    if weights:
        edges = replace(edges, weights=np.array(weights))
    return streams.table_of(np.array(years), edges)


def burnt_in(*later, years, settings=None):
    """Return the scores of hyperedges after four years of two communities, 0 to 4 and 5 to 9."""
    random = np.random.default_rng(0)
    lists = [random.choice(5, 3, replace=False) + 5 * (row % 2) for row in range(400)]
    lists = [sorted(nodes.tolist()) for nodes in lists]
    table = rows(*lists, *later, years=[2000 + row // 100 for row in range(400)] + list(years))
    settings = settings or Settings(communities=2, burn_in_documents=400)
    return scored(table, settings).slice(400)


# --- what the scores tell --------------------------------------------------------------------


def test_next_years_documents_are_told_from_equally_popular_keywords(judged):
    assert np.mean(judged[0]["degree matched"]) >= 0.97


def test_documents_of_two_unrelated_communities_are_told(judged):
    assert np.mean(judged[0]["planted"]) >= 0.92


def test_the_communities_that_made_the_documents_are_found(stream, judged):
    found = judged[1].communities()
    counted = found >= 0
    truth = stream.keywords_of[: len(found)]
    assert streams.mutual_information(found[counted], truth[counted]) >= 0.95


def test_without_communities_nothing_is_told():
    shuffled = streams.shuffled(streams.drifting(12_000, 1500, 10, years=6, seed=2))
    random = np.random.default_rng(6)
    real, unlikely, sizes = [], [], []
    for step in walk(shuffled.table, replace(SETTINGS, communities=12)):
        if step.model is not None:
            edges = streams.known_part(step.model, step.hyperedges)
            real.append(step.model.surprise(edges))
            unlikely.append(step.model.surprise(streams.degree_matched(edges, random)))
            sizes.append(edges.sizes)
    real, unlikely, sizes = map(np.concatenate, (real, unlikely, sizes))
    assert 0.48 <= streams.auc_by_size(real, sizes, unlikely, sizes) <= 0.52


def test_three_that_meet_only_in_pairs_are_unlikely():
    stream, possible, never = streams.triples(12_000)
    for step in walk(stream.table, Settings(communities=16, burn_in_documents=3000)):
        model = step.model
    assert streams.auc(model.surprise(possible), model.surprise(never)) >= 0.95
    # What no count of pairs can tell.
    pairs = [-streams.mean_pmi(stream.hyperedges, each) for each in (possible, never)]
    assert 0.45 < streams.auc(*pairs) < 0.55


def test_a_field_that_two_communities_found_is_novel_for_a_year():
    merging = streams.drifting(
        60_000, 6000, 40, years=6, growth=1, stray=0.05, mixed=0.0, merged=(0, 1, 3), seed=4
    )
    found = scored(merging.table, Settings(communities=48, burn_in_documents=20_000))
    values = found.column("novelty").to_numpy()

    def of_field(year):
        return np.nanmean(values[merging.is_merged & (merging.years == year)])

    assert of_field(2003) - of_field(2004) >= 0.2


def test_novelty_hardly_depends_on_the_number_of_keywords(stream):
    found = scored(stream.table, SETTINGS)
    has_score = found.column("novelty").is_valid().to_numpy()
    values = found.column("novelty").to_numpy()[has_score]
    known = found.column("known_nodes").to_numpy()[has_score]
    assert abs(np.corrcoef(values, known)[0, 1]) <= 0.2
    # While the surprise is that of all of them together.
    surprise = found.column("surprise").to_numpy()[has_score]
    assert abs(np.corrcoef(surprise, known)[0, 1]) > 0.4


def test_a_combination_of_two_communities_is_more_novel_than_of_one():
    found = burnt_in([0, 1, 2], [0, 1, 7], years=[2004, 2004]).column("novelty").to_pylist()
    assert 0 < found[0] < 0.4 < 0.5 < found[1] < 1


# --- the equations -----------------------------------------------------------------------------


def test_the_surprise_is_that_of_the_equations(small):
    for step in walk(small, QUICK):
        model = step.model
    edges = streams.known_part(model, step.hyperedges)
    ratios = 0.1 + 0.9 * model.theta(np.arange(400)) / model.token_shares
    lists = np.split(edges.nodes, edges.offsets[1:-1])
    lift = np.array([(model.pi * ratios[nodes].prod(axis=0)).sum() for nodes in lists])
    assert model.surprise(edges) == pytest.approx(-np.log(lift), abs=1e-4)
    expected = 1 / (1 + lift ** (1 / (edges.sizes - 1)))
    assert block_model.novelty(-np.log(lift), edges.sizes) == pytest.approx(expected)


def test_shares_are_of_sum_one_and_those_of_all_nodes_for_an_unknown_one(small):
    for step in walk(small, QUICK):
        model = step.model
    theta = model.theta(np.array([0, 5, 100_000]))
    assert theta.sum(axis=1) == pytest.approx(1)
    assert theta[2] == pytest.approx(model.token_shares)
    assert [model.pi.sum(), model.token_shares.sum()] == pytest.approx([1, 1])


def test_learning_agrees_with_the_rounds_written_out():
    edges = streams.hyperedges_of([[0, 1], [1, 2], [3, 4], [3, 4, 5], [0, 5]])
    weights = np.array([1, 0.5, 1, 1, 0.25])
    edges = replace(edges, weights=weights)
    settings = Settings(communities=3, sweeps=3)
    model = BlockModel.fit(edges, np.full(5, 2000), settings)
    counts, documents = model._counts.astype(np.float64) * 0.9**2, model._documents * 0.9**2
    model.learn(edges, 2002)
    before, before_documents = counts.copy(), documents.copy()
    holds = np.zeros((5, 6))
    for row, nodes in enumerate(np.split(edges.nodes, edges.offsets[1:-1])):
        holds[row, nodes] = 1
    for sweep in range(3):
        pi = (documents + 1) / (documents.sum() + 3)
        shares = (counts.sum(axis=0) + 1) / (counts.sum() + 3)
        totals = counts.sum(axis=1, keepdims=True)
        left = np.maximum(totals - (2 if sweep else 0), 0)
        theta = (counts * left / totals + 3 * shares) / (left + 3)
        ratios = 0.1 + 0.9 * theta / shares
        posterior = pi * np.exp(holds @ np.log(ratios))
        posterior *= (weights / posterior.sum(axis=1))[:, None]
        counts = before + (1 - 0.1 / ratios) * (holds.T @ posterior)
        documents = before_documents + posterior.sum(axis=0)
    assert model._counts == pytest.approx(counts, rel=1e-4, abs=1e-6)
    assert model._documents == pytest.approx(documents, rel=1e-5)
    assert model._tokens == pytest.approx(counts.sum(axis=0), rel=1e-5)


def test_a_family_of_two_counts_as_much_as_one_document():
    lists = [[0, 1, 2], [3, 4, 5]] * 30
    one = rows(*lists, [0, 1, 5], years=[2000] * 60 + [2001])
    doubled = [nodes for nodes in lists for _ in range(2)]
    two = rows(*doubled, [0, 1, 5], years=[2000] * 120 + [2001], weights=[0.5] * 120 + [1])
    settings = Settings(communities=2, burn_in_documents=60)
    found = [scored(table, settings).column("surprise").to_pylist()[-1] for table in (one, two)]
    assert found[0] == pytest.approx(found[1], abs=1e-4)
    # The burn-in counts families as well.
    more = scored(two, replace(settings, burn_in_documents=61))
    assert more.column("reason").to_pylist()[-1] == "burn_in"


# --- what a score does not depend on -------------------------------------------------------------


def test_later_years_change_no_bit_of_a_score(small):
    everything = scored(small)
    for last in (2003, 2005):
        earlier = pc.less_equal(small.column("year"), last)
        assert scored(small.filter(earlier)).equals(everything.filter(earlier))


def test_the_order_of_rows_changes_no_bit_of_a_score(small):
    order = pa.array(np.random.default_rng(0).permutation(small.num_rows))
    assert scored(small.take(order)).equals(scored(small).take(order))


def test_order_and_repetition_of_keywords_change_nothing(small):
    lists = small.column("nodes").to_pylist()
    others = [nodes[::-1] + nodes[:1] for nodes in lists]
    other = small.set_column(4, "nodes", pa.array(others, pa.list_(pa.int32())))
    assert small.schema.names[4] == "nodes"
    assert scored(other).equals(scored(small))


def test_keywords_that_are_new_change_nothing():
    found = burnt_in([0, 1, 7], [0, 1, 7, 10], [0, 1, 7, 11, 12], years=[2004] * 3)
    assert len(set(found.column("surprise").to_pylist())) == 1
    assert len(set(found.column("novelty").to_pylist())) == 1
    assert found.column("node_count").to_pylist() == [3, 4, 5]
    assert found.column("known_nodes").to_pylist() == [3, 3, 3]


def test_other_documents_of_its_year_do_not_change_a_score():
    alone = burnt_in([0, 1, 7], years=[2004])
    beside = burnt_in([0, 1, 7], [0, 1, 8], [3, 9, 7], [2, 7], years=[2004] * 4)
    assert alone.column("surprise")[0] == beside.column("surprise")[0]


def test_the_size_of_a_batch_does_not_change_a_score(small, monkeypatch):
    for step in walk(small, QUICK):
        model = step.model
    whole = model.surprise(step.hyperedges)
    monkeypatch.setattr(block_model, "DOCUMENTS_PER_BATCH", 7)
    assert np.array_equal(model.surprise(step.hyperedges), whole, equal_nan=True)


def test_two_threads_and_another_process_give_the_same_bits(small):
    import torch

    before = torch.get_num_threads()
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(scored(small))
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert found[0].equals(found[1])
    assert found[0].equals(called_in_another_process(_scored_with_quick, small))


def _scored_with_quick(table):
    return scoring.score(table, settings=QUICK)


def test_a_document_cut_at_most_nodes_keeps_the_oldest():
    settings = Settings(communities=2, burn_in_documents=400, most_nodes=3)
    found = burnt_in([9, 7, 1, 0], [0, 1, 7], years=[2004, 2004], settings=settings)
    assert found.column("node_count").to_pylist() == [3, 3]
    assert found.column("surprise")[0] == found.column("surprise")[1]


# --- without a score -----------------------------------------------------------------------------


def test_what_has_no_score_has_a_reason():
    found = burnt_in([0, 1], [0, 10], [10, 11], [0], [], years=[2004] * 5)
    reasons = [None, *["fewer_than_two_known_nodes"] * 2, *["fewer_than_two_nodes"] * 2]
    assert found.column("reason").to_pylist() == reasons
    assert found.column("node_count").to_pylist() == [2, 2, 2, 1, 0]
    assert found.column("known_nodes").to_pylist() == [2, 1, 0, 1, 0]
    for name in ("surprise", "novelty"):
        assert found.column(name).is_valid().to_pylist() == [True, *[False] * 4]
    assert found.column("state_year").to_pylist() == [2003] * 5


def test_the_burn_in_has_no_score_and_counts_what_was_known():
    table = rows([0, 1], [0, 1, 2], [1, 2], [0, 1], years=[2000, 2001, 2001, 2002])
    found = scored(table, Settings(communities=2, burn_in_documents=3))
    assert found.column("reason").to_pylist() == ["burn_in"] * 3 + [None]
    assert found.column("known_nodes").to_pylist() == [0, 2, 1, 2]
    assert found.column("state_year").to_pylist() == [None, None, None, 2001]
    assert found.column("surprise").null_count == 3


def test_a_corpus_that_never_ends_its_burn_in_has_no_score(small):
    found = scored(small, replace(QUICK, burn_in_documents=10**6))
    assert set(found.column("reason").to_pylist()) == {"burn_in"}
    assert found.column("novelty").null_count == small.num_rows


def test_a_node_met_by_itself_is_known_and_neutral():
    found = burnt_in([10], [0, 1, 10], [0, 1], years=[2004, 2005, 2005])
    assert found.column("known_nodes").to_pylist() == [0, 3, 2]
    surprise = found.column("surprise").to_pylist()
    assert surprise[1] == pytest.approx(surprise[2], abs=1e-5)


def test_zero_rows_give_zero_rows(small, tmp_path):
    found = scored(small.slice(0, 0), states=tmp_path)
    assert found.num_rows == 0
    assert found.schema == tables.NOVELTY


def test_the_result_has_the_schema_and_one_row_for_each(small):
    found = scored(small)
    assert found.schema == tables.NOVELTY
    for name in ("hyperedge_id", "document_id", "corpus", "year"):
        assert found.column(name).to_pylist() == small.column(name).to_pylist()
    assert set(found.column("model_version").to_pylist()) == {version(QUICK)}
    values = found.column("novelty").drop_null()
    assert pc.min(values).as_py() > 0
    assert pc.max(values).as_py() < 1
    has_score = found.column("reason").is_null()
    assert has_score.equals(found.column("surprise").is_valid())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"year": [2000, None]}, "1 hyperedges have no year"),
        ({"corpus": ["paper_content", "patent_content"]}, "more than one corpus"),
        ({"nodes": [[0, 1], [0, -1]]}, "node ids must be from 0"),
        ({"nodes": [[0, 1], [0, None]]}, "1 node ids are missing"),
        ({"weight": [1.0, 0.0]}, "a weight above zero"),
        ({"weight": [1.0, None]}, "a weight above zero"),
        ({"hyperedge_id": ["content:A", "content:A"]}, "content:A comes twice"),
    ],
)
def test_rows_that_cannot_be_are_refused(change, message):
    table = rows([0, 1], [0, 1], years=[2000, 2000])
    for name, values in change.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.array(values, table.schema.field(name).type))
    with pytest.raises(ValueError, match=message):
        scored(table)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"background = 0, decay = 2"):
        Settings(background=0, decay=2)


def test_a_year_is_not_learned_twice():
    edges = streams.hyperedges_of([[0, 1], [1, 2]])
    model = BlockModel.fit(edges, np.array([2000, 2001]), Settings(communities=2))
    with pytest.raises(ValueError, match="2001 cannot be learned after 2001"):
        model.learn(edges, 2001)
    with pytest.raises(ValueError, match="nothing to learn"):
        BlockModel.fit(streams.hyperedges_of([[0]]), np.array([2000]), Settings())


def test_more_documents_are_fitted_with_more_communities():
    assert [Settings().communities_of(count) for count in (2000, 50_000, 10**6)] == [32, 64, 128]
    assert Settings(communities=7).communities_of(10**6) == 7


def test_a_corpus_is_fitted_again_when_it_has_doubled_until_it_has_settled():
    settings = Settings(burn_in_documents=10, settled_documents=40)
    fitted, at = 0, []
    for documents in range(0, 200, 5):
        if settings.is_to_be_fitted(documents, fitted):
            fitted = documents
            at.append(documents)
    assert at == [10, 20, 40]


def test_other_settings_have_another_version():
    names = {version(each) for each in (Settings(), Settings(seed=1), QUICK)}
    assert len(names) == 3
    assert version(Settings()) == version(Settings())


# --- hyperedges ----------------------------------------------------------------------------------


def test_lists_become_ascending_sets():
    lists = pa.chunked_array([[[3, 1, 3], []], [None, [2], [5, 4, 9]]], pa.list_(pa.int64()))
    edges = Hyperedges.from_arrow(lists, most_nodes=2)
    assert edges.offsets.tolist() == [0, 2, 2, 2, 3, 5]
    assert edges.nodes.tolist() == [1, 3, 2, 4, 5]
    assert edges.nodes.dtype == np.int32
    taken = edges.take(np.array([4, 0]))
    assert (taken.nodes.tolist(), taken.sizes.tolist()) == ([4, 5, 1, 3], [2, 2])
    assert edges.take(edges.sizes > 1).nodes.tolist() == [1, 3, 4, 5]
    assert edges.where(edges.nodes > 2).sizes.tolist() == [1, 0, 0, 0, 2]


# --- states --------------------------------------------------------------------------------------


@pytest.fixture
def learned(monkeypatch):
    """Return the years that were learned or fitted, as they come."""
    years = []
    fit, learn = BlockModel.fit.__func__, BlockModel.learn

    def fit_and_tell(cls, hyperedges, of_years, settings):
        years.append(("fit", int(max(of_years))))
        return fit(cls, hyperedges, of_years, settings)

    def learn_and_tell(model, hyperedges, year):
        years.append(("learn", year))
        learn(model, hyperedges, year)

    monkeypatch.setattr(BlockModel, "fit", classmethod(fit_and_tell))
    monkeypatch.setattr(BlockModel, "learn", learn_and_tell)
    return years


def contents(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_what_was_learned_is_not_learned_again(small, tmp_path, learned):
    fresh = scored(small)
    told = list(learned)
    assert [kind for kind, _ in told] == ["fit", "learn", "learn", "fit", "learn", "learn"]
    assert scored(small, states=tmp_path).equals(fresh)
    assert learned == told * 2
    before = contents(tmp_path)
    assert len(before) == len(told)
    assert scored(small, states=tmp_path).equals(fresh)
    assert learned == told * 2
    assert contents(tmp_path) == before


def test_a_new_year_is_all_that_is_learned(small, tmp_path, learned):
    earlier = small.filter(pc.less(small.column("year"), 2007))
    scored(earlier, states=tmp_path)
    learned.clear()
    found = scored(small, states=tmp_path)
    assert learned == [("learn", 2007)]
    assert found.equals(scored(small))


def test_what_follows_changed_history_is_learned_anew(small, tmp_path, learned):
    scored(small, states=tmp_path)
    names = set(contents(tmp_path))
    learned.clear()
    changed = small.filter(pc.not_equal(small.column("hyperedge_id"), "content:W00001900"))
    year = small.column("year")[1900].as_py()
    found = scored(changed, states=tmp_path)
    assert [at for _, at in learned] == list(range(year, 2008))
    assert found.equals(scored(changed))
    # One file a year, and none of the former content.
    assert len(contents(tmp_path)) == len(names)
    assert len(names & set(contents(tmp_path))) == year - 2002


def test_a_torn_or_foreign_file_is_learned_anew(small, tmp_path, learned):
    fresh = scored(small, states=tmp_path)
    files = sorted(tmp_path.iterdir())
    files[1].write_bytes(files[1].read_bytes()[:-100])
    files[2].write_bytes(b"something else")
    whole = bytearray(files[3].read_bytes())
    whole[-3] ^= 1
    files[3].write_bytes(whole)
    files[4].write_bytes(files[5].read_bytes())
    learned.clear()
    assert scored(small, states=tmp_path).equals(fresh)
    assert len(learned) == 4
    learned.clear()
    assert scored(small, states=tmp_path).equals(fresh)
    assert learned == []


def test_a_run_that_was_killed_goes_on_to_the_same_bits(small, tmp_path, learned):
    fresh = scored(small)

    steps = walk(small, QUICK, tmp_path, "paper_content")
    for step in steps:
        if step.year == 2005:
            break
    steps.close()
    (tmp_path / "0.novelty.partial").write_bytes(b"half")
    os.utime(tmp_path / "0.novelty.partial", (0, 0))
    learned.clear()
    assert scored(small, states=tmp_path).equals(fresh)
    assert learned == [("fit", 2005), ("learn", 2006), ("learn", 2007)]
    assert all(path.suffix == ".safetensors" for path in tmp_path.iterdir())


KILLED = """
import os, sys
from pathlib import Path
from python_steps.engine import files
from python_steps.novelty import scoring
from tests.python_steps.novelty.test_novelty import QUICK
from tests import novelty_streams as streams
settle, done = files.settle, []
def settle_or_die(path, name):
    done.append(name)
    if len(done) == 4:
        os.kill(os.getpid(), 9)
    settle(path, name)
files.settle = settle_or_die
table = streams.drifting(2400, 400, 6, years=8, seed=1).table
scoring.score(table, settings=QUICK, states=Path(sys.argv[1]))
"""


def test_a_process_killed_while_it_writes_leaves_no_half_state(small, tmp_path, learned):
    run = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True)
    assert run.returncode == -9, run.stderr.decode()
    assert [path.suffix for path in sorted(tmp_path.iterdir())].count(".partial") == 1
    found = scored(small, states=tmp_path)
    assert learned == [("fit", 2005), ("learn", 2006), ("learn", 2007)]
    assert found.equals(scored(small))


def test_a_state_holds_the_active_nodes_and_says_what_it_is(small, tmp_path):
    scored(small, states=tmp_path)
    (path,) = tmp_path.glob("paper_content_2007_*.safetensors")
    of_year = pc.equal(small.column("year"), 2007)
    active = np.unique(np.concatenate(small.filter(of_year).column("nodes").to_numpy()))
    with safe_open(path, framework="np") as file:
        told = file.metadata()
        assert file.get_tensor("nodes").tolist() == active.tolist()
        assert file.get_tensor("counts").shape == (len(active), 8)
    assert (told["corpus"], told["year"]) == ("paper_content", "2007")
    assert told["model_version"] == version(QUICK)
    assert '"burn_in_documents": 600' in told["settings"]


def test_other_settings_use_no_state_of_these(small, tmp_path, learned):
    scored(small, states=tmp_path)
    other = replace(QUICK, decay=0.8)
    learned.clear()
    assert scored(small, other, states=tmp_path).equals(scored(small, other))
    assert len(learned) == 12


def test_corpora_share_a_folder(small, tmp_path):
    place = small.schema.get_field_index("corpus")
    names = pa.array(["patent_content"] * small.num_rows)
    patents = small.set_column(place, "corpus", names)
    scored(small, states=tmp_path)
    scored(patents, states=tmp_path)
    assert len(contents(tmp_path)) == 12


# --- telling -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wanted", "tells"), [("1", True), ("0", False), ("", False)])
def test_progress_is_told_where_it_is_wanted(small, wanted, tells, monkeypatch, capsys):
    monkeypatch.setenv(progress.PROGRESS_VARIABLE, wanted)
    scored(small)
    assert ("score novelty of paper_content" in capsys.readouterr().err) == tells


def test_a_log_gets_a_plain_line_now_and_then(small, monkeypatch, capsys):
    monkeypatch.delenv(progress.PROGRESS_VARIABLE)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_FIRST_LINES", 0.0)
    scored(small)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("score novelty of paper_content: 2,400 of 2,400 documents, 2007")
