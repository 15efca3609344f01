"""Matching: the rule of years, exactness, ties, the two ways of an index, and the audit."""

import pickle
from functools import partial

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from python_steps import tables
from python_steps.engine.shards import map_shards
from python_steps.similarity import audit as similarity_audit
from python_steps.similarity import matcher as similarity_matcher
from python_steps.similarity import matching, strategies
from python_steps.similarity import method as similarity_method
from python_steps.similarity.patents import Patents, store_block
from tests.python_steps.another_process import called_in_another_process
from tests.python_steps.similarity.one_block import in_one_block

WIDTH = 48
MODEL = "test/f32"


def documents(ids, years, vectors, model=MODEL):
    vectors = np.asarray(vectors, dtype=np.float64)
    width = vectors.shape[-1]
    vectors = vectors.reshape(len(ids), width)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    flat = (vectors / np.where(lengths, lengths, 1)).astype(np.float32).reshape(-1)
    return pa.table(
        {
            "document_id": pa.array(ids, pa.string()),
            "year": pa.array(years, pa.int32()),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(flat), width),
            "model_version": pa.array([model] * len(ids), pa.string()),
        }
    )


def clustered(prefix, count, *, seed, clusters=60, first=2000, last=2020):
    """Vectors as texts have them: around topics, and few directions that matter."""
    centres = np.random.default_rng(99).normal(size=(clusters, WIDTH))
    random = np.random.default_rng(seed)
    vectors = centres[random.integers(0, clusters, count)]
    vectors = vectors + 0.4 * random.normal(size=(count, WIDTH))
    years = random.integers(first, last + 1, count)
    return documents([f"{prefix}{row:05d}" for row in range(count)], years, vectors)


def brute_force(papers, patents, count, lags=range(1000)):
    """Say the same in the plainest way: (paper, patent, rank, similarity) in order."""
    vectors = np.stack(patents.column("embedding").to_numpy()).astype(np.float64)
    ids = patents.column("document_id").to_pylist()
    years = patents.column("year").to_pylist()
    rows = []
    for paper in papers.to_pylist():
        values = (vectors @ np.array(paper["embedding"], np.float64)).astype(np.float32)
        allowed = [place for place in range(len(ids)) if years[place] - paper["year"] in lags]
        allowed.sort(key=lambda place: (-values[place], ids[place]))
        rows += [
            (paper["document_id"], ids[place], rank, values[place])
            for rank, place in enumerate(allowed[:count], start=1)
        ]
    return sorted(rows, key=lambda row: (row[0], row[2]))


def found(matches):
    names = ["paper_id", "patent_id", "rank", "similarity"]
    rows = zip(*(matches.column(name).to_pylist() for name in names), strict=True)
    return sorted(rows, key=lambda row: (row[0], row[2]))


def matched(papers, patents, *, count=3, **settings):
    return matching.match(papers, in_one_block(patents), count=count, **settings)


@pytest.fixture(scope="module")
def papers():
    return clustered("W", 400, seed=1)


@pytest.fixture(scope="module")
def patents():
    return clustered("P", 6000, seed=2)


def test_exact_matches_are_those_of_comparing_everything(papers, patents):
    assert found(matched(papers, patents, count=5, method="exact")) == brute_force(
        papers, patents, 5
    )


@pytest.mark.parametrize("memory", [1, 2**18, 2**30])
def test_the_size_of_blocks_changes_nothing(papers, patents, memory, monkeypatch):
    whole = matched(papers, patents, method="exact")
    monkeypatch.setattr(similarity_matcher, "PAPERS_PER_PASS", 17)
    assert matched(papers, patents, method="exact", memory=memory).equals(whole)


def test_the_index_finds_what_comparing_everything_finds(papers, patents, monkeypatch):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 0)
    approximate = matched(papers, patents, count=10, method="hnsw")
    assert set(approximate.column("method").to_pylist()) == {"hnsw"}
    exact = set(found(matched(papers, patents, count=10, method="exact")))
    exact_pairs = {(paper, patent) for paper, patent, _, _ in exact}
    pairs = {(paper, patent) for paper, patent, _, _ in found(approximate)}
    assert len(pairs & exact_pairs) / len(exact_pairs) >= 0.98


def test_a_pair_has_the_same_similarity_by_either_method(papers, patents, monkeypatch):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 0)
    by_method = [
        {(paper, patent): value for paper, patent, _, value in found(matches)}
        for matches in (
            matched(papers, patents, method="hnsw"),
            matched(papers, patents, method="exact"),
        )
    ]
    common = by_method[0].keys() & by_method[1].keys()
    assert len(common) > 500
    assert all(by_method[0][pair] == by_method[1][pair] for pair in common)


@pytest.mark.parametrize("method", ["exact", "hnsw"])
def test_only_what_is_as_similar_as_the_least_wanted_is_returned(
    papers, patents, method, monkeypatch
):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 1)
    whole = matched(papers, patents, method=method)
    similarities = dict(
        zip(
            zip(*(whole.column(name).to_pylist() for name in ("paper_id", "rank")), strict=True),
            whole.column("similarity").to_pylist(),
            strict=True,
        )
    )
    # As similar as the second, for every third paper as anything, for others as nothing at all.
    least = []
    for number, paper in enumerate(papers.column("document_id").to_pylist()):
        least.append([similarities.get((paper, 2)), None, 1.1][number % 3])
    wanted = papers.append_column("least_similarity", pa.array(least, pa.float32()))
    bound = dict(zip(papers.column("document_id").to_pylist(), least, strict=True))
    expected = [
        row for row in whole.to_pylist() if row["similarity"] >= (bound[row["paper_id"]] or -1)
    ]
    assert matched(wanted, patents, method=method).to_pylist() == expected
    assert {row["rank"] for row in expected} == {1, 2, 3}


@pytest.mark.parametrize("method", ["exact", "hnsw"])
def test_no_patent_is_earlier_than_its_paper(papers, patents, method, monkeypatch):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 0)
    matches = matched(papers, patents, count=40, method=method)
    years = [matches.column(name).to_numpy() for name in ("paper_year", "patent_year")]
    assert (years[1] >= years[0]).all()
    delivered = {row["document_id"]: row["year"] for row in patents.to_pylist()}
    assert [delivered[patent] for patent in matches.column("patent_id").to_pylist()] == list(
        years[1]
    )


@pytest.mark.parametrize(
    ("lags", "settings"),
    [
        (range(1, 1000), {"minimum_lag": 1}),
        (range(6), {"maximum_lag": 5}),
        (range(2, 5), {"minimum_lag": 2, "maximum_lag": 4}),
        (range(1), {"maximum_lag": 0}),
    ],
)
@pytest.mark.parametrize("is_stored", [False, True])
def test_patents_come_neither_too_soon_nor_too_late(
    papers, patents, lags, settings, is_stored, tmp_path
):
    parted = stored(patents, tmp_path) if is_stored else in_one_block(patents)
    matches = matching.match(papers, parted, count=4, method="exact", **settings)
    assert found(matches) == brute_force(papers, patents, 4, lags)
    audited = similarity_audit.audit(papers, parted, matches, count=4, **settings)
    assert pc.min(audited.column("hits_at_k")).as_py() == 1.0
    wider = similarity_audit.audit(papers, parted, matches, count=4)
    assert pc.min(wider.column("hits_at_k")).as_py() < 1.0


def test_stored_indexes_leave_out_patents_that_are_too_late(papers, patents, tmp_path, monkeypatch):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 0)
    blocks = stored(patents, tmp_path, index=True)
    matches = matching.match(papers, blocks, count=5, method="hnsw", maximum_lag=7)
    lags = pc.subtract(matches.column("patent_year"), matches.column("paper_year"))
    assert pc.min_max(lags).as_py() == {"min": 0, "max": 7}
    assert set(matches.column("method").to_pylist()) == {"hnsw"}
    exact = {row[:2] for row in brute_force(papers, patents, 5, range(8))}
    assert len({row[:2] for row in found(matches)} & exact) / len(exact) >= 0.98


def test_a_sweep_that_is_to_leave_out_late_patents_is_refused(papers, patents, monkeypatch):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 0)
    with pytest.raises(ValueError, match="store the patents in blocks"):
        matched(papers, patents, method="hnsw", maximum_lag=7)


@pytest.mark.parametrize("method", ["exact", "hnsw"])
def test_a_paper_gets_as_many_patents_as_there_are(method, monkeypatch):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 0)
    patents = documents(["P1", "P2", "P3"], [2000, 2001, 2002], np.eye(3))
    papers = documents(
        ["W0", "W1", "W2", "W3", "W4"], [1999, 2001, 2002, 2003, None], np.ones((5, 3))
    )
    matches = matched(papers, patents, count=10, method=method)
    counts = {paper: 0 for paper in papers.column("document_id").to_pylist()}
    for paper in matches.column("paper_id").to_pylist():
        counts[paper] += 1
    assert counts == {"W0": 3, "W1": 2, "W2": 1, "W3": 0, "W4": 0}


@pytest.mark.parametrize("method", ["exact", "hnsw"])
def test_equal_similarities_are_ordered_by_patent_id(method, monkeypatch):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 0)
    patents = documents(
        ["P9", "P1", "P5", "P3"], [2010, 2005, 2008, 2010], [[1, 0], [1, 0], [1, 0], [0, 1]]
    )
    matches = matched(documents(["W"], [2000], [[1, 0]]), patents, count=4, method=method)
    assert matches.column("patent_id").to_pylist() == ["P1", "P5", "P9", "P3"]
    assert matches.column("rank").to_pylist() == [1, 2, 3, 4]


def test_more_equals_than_candidates_are_still_ordered_by_patent_id():
    crowd = 500
    random = np.random.default_rng(5)
    ids = [f"P{number:04d}" for number in random.permutation(crowd)]
    years = random.integers(2000, 2010, crowd)
    patents = documents(ids, years, np.tile(random.normal(size=WIDTH), (crowd, 1)))
    papers = documents(["W"], [2000], random.normal(size=(1, WIDTH)))
    matches = matched(papers, patents, count=3, method="exact")
    assert matches.column("patent_id").to_pylist() == ["P0000", "P0001", "P0002"]


def test_the_exact_method_settles_similarities_that_a_product_cannot_tell_apart():
    random = np.random.default_rng(6)
    one = random.normal(size=WIDTH)
    near = one + 1e-6 * random.normal(size=(2000, WIDTH))
    patents = documents([f"P{row:04d}" for row in range(2000)], [2010] * 2000, near)
    papers = documents(["W"], [2000], one + 0.5 * random.normal(size=(1, WIDTH)))
    assert found(matched(papers, patents, count=5, method="exact")) == brute_force(
        papers, patents, 5
    )


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_auto_compares_everything_until_an_index_is_cheaper(precision, device, monkeypatch):
    # With more threads all but building gets cheaper, and the places where they cross move.
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)

    def chosen(papers, patents, **settings):
        settings = {"width": 384, "precision": precision, "device": device, **settings}
        years = range(2000, 2020)
        return similarity_method.chosen_method(
            "auto", dict.fromkeys(years, papers), dict.fromkeys(years, patents), **settings
        )

    sizes = [10**power for power in range(1, 9)]
    for papers in sizes:
        methods = [chosen(papers, patents, memory=10**15) for patents in sizes]
        assert methods == sorted(methods), "from some number of patents on an index"
    # An increment never pays for an index of all.
    assert chosen(100, 10**8, memory=10**15) == "exact"
    assert chosen(10**6, 1000, memory=10**15) == "exact"
    assert chosen(10**9, 10**6, memory=10**9) == "exact", "an index that does not fit is not built"
    if device == "cpu":
        assert chosen(10**7, 10**7, memory=10**15) == "hnsw"
        # Only eligible pairs count.
        wide, narrow = (chosen(10**6, 10**6, memory=10**15, maximum_lag=lag) for lag in [None, 0])
        assert (wide, narrow) == ("hnsw", "exact")
        few = {"memory": 10**15, "precision": "f32"}
        assert chosen(50_000, 50_000, **few) == "hnsw"
        monkeypatch.setattr("torch.get_num_threads", lambda: 32)
        assert chosen(50_000, 50_000, **few) == "exact", "one thread builds, all compare"
        assert chosen(50_000, 50_000, add_threads=0, **few) == "hnsw"
        assert chosen(50_000, 50_000, is_stored=True, **few) == "hnsw"


def test_a_search_holds_more_candidates_the_more_patents_there_are():
    sizes = [10, 10_000, 100_000, 1_000_000, 10_000_000]
    held = [similarity_method.fitting_expansion(size) for size in sizes]
    assert held == sorted(held)
    assert held[:3] == [128, 128, 128]
    assert 512 < held[3] < 1024


def test_a_method_that_is_named_is_taken():
    for method in ["exact", "hnsw"]:
        assert similarity_method.chosen_method(method, {2000: 1}, {2000: 1}, width=384) == method
    with pytest.raises(ValueError, match="must be one of"):
        similarity_method.chosen_method("fast", {}, {}, width=384)


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("memory", [0, 50_000, 2**30])
def test_neither_precision_nor_what_is_kept_changes_an_exact_answer(
    papers, patents, precision, memory
):
    settings = {"count": 5, "method": "exact", "maximum_lag": 6}
    matches = matched(papers, patents, precision=precision, memory=memory, **settings)
    assert matches.equals(matched(papers, patents, precision="f32", **settings))
    assert found(matches) == brute_force(papers, patents, 5, range(7))


@pytest.mark.parametrize("method", ["exact", "hnsw"])
@pytest.mark.parametrize("sides", [(0, 0), (0, 5), (5, 0)])
def test_an_empty_side_gives_no_pairs(method, sides):
    matches = matched(
        clustered("W", sides[0], seed=1), clustered("P", sides[1], seed=2), method=method
    )
    assert matches.num_rows == 0
    assert matches.schema == tables.MATCHES


@pytest.mark.parametrize("method", ["exact", "hnsw"])
def test_a_killed_sweep_resumes_to_the_same_pairs(papers, patents, method, tmp_path, monkeypatch):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 0)
    connection = duckdb.connect()
    connection.execute("create table papers as select * from papers")
    stored = in_one_block(patents)

    def sweep(step, version):
        return map_shards(
            connection.table("papers"),
            step,
            key="year",
            descending=True,
            schema=tables.MATCHES,
            description="match",
            version=version,
            checkpoints=tmp_path / "work",
        ).read_all()

    # Of the years from 2020 to 2000 a third is done, then two thirds.
    for last in (2013, 2006):
        first = similarity_matcher.Matcher(stored, 5, method=method)

        def killed(table, last=last, matcher=first):
            if table.column("year")[0].as_py() == last:
                raise KeyError("killed")
            return matcher.step(table)

        with pytest.raises(Exception, match="killed"):
            sweep(killed, first.version)
    again = similarity_matcher.Matcher(in_one_block(patents), 5, method=method)
    assert again.version == first.version
    resumed = sweep(again.step, again.version)
    assert resumed.equals(matched(papers, patents, count=5, method=method))


def test_the_version_follows_patents_and_settings(patents):
    def version(table, count=3, **settings):
        return similarity_matcher.Matcher(in_one_block(table), count, **settings).version

    versions = [
        version(patents),
        version(patents.slice(1)),
        version(patents, count=4),
        version(patents, method="hnsw"),
        version(patents, method="hnsw", expansion_search=64),
    ]
    assert len(set(versions)) == len(versions)
    assert version(patents.take(np.arange(6000)[::-1])) == versions[0]


def test_vectors_of_different_models_are_not_compared(papers, patents):
    other = documents(["W"], [2000], np.ones((1, WIDTH)), model="other")
    with pytest.raises(ValueError, match=r"embedded by 'other', patents by 'test/f32'"):
        matched(other, patents)
    with pytest.raises(ValueError, match="more than one model"):
        matched(papers, pa.concat_tables([patents, other]))


def test_vectors_of_different_widths_are_not_compared(patents):
    with pytest.raises(ValueError, match="vectors of 3 numbers, patents of 48"):
        matched(documents(["W"], [2000], np.ones((1, 3))), patents)


def test_years_in_the_wrong_order_are_refused_by_the_index(papers, patents, monkeypatch):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 0)
    matcher = similarity_matcher.Matcher(in_one_block(patents), 3, method="hnsw")
    years = papers.column("year").to_numpy()
    matcher.step(papers.filter(pa.array(years == 2005)))
    with pytest.raises(ValueError, match="from the last to the first"):
        matcher.step(papers.filter(pa.array(years == 2006)))


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "fast"},
        {"count": 0},
        {"minimum_lag": -1},
        {"minimum_lag": 2, "maximum_lag": 1},
        {"minimum_lag": 1, "maximum_lag": 0},
    ],
)
def test_settings_that_mean_nothing_are_refused(patents, settings):
    with pytest.raises(ValueError, match="must be"):
        matched(patents, patents, **settings)


def test_the_audit_of_an_exact_answer_finds_nothing_missing(papers, patents):
    matches = matched(papers, patents, count=10, method="exact")
    result = similarity_audit.audit(papers, in_one_block(patents), matches, count=10)
    assert result.schema == tables.MATCH_AUDIT
    assert set(result.column("hits_at_1").to_pylist()) == {1.0}
    assert set(result.column("hits_at_k").to_pylist()) == {1.0}
    assert set(result.column("similarity_regret").to_pylist()) == {0.0}


def test_the_audit_sees_what_is_missing():
    stored = in_one_block(documents(["P1", "P2", "P3"], [2010] * 3, [[1, 0], [1, 1], [0, 1]]))
    papers = documents(["W1", "W2"], [2000, 2011], [[1, 0], [1, 0]])
    matches = matching.match(papers, stored, count=2)
    without_best = matches.filter(pa.array([False, True]))
    row = similarity_audit.audit(papers, stored, without_best, count=2).to_pylist()
    assert len(row) == 1  # no patent is as late as W2
    assert (row[0]["expected_k"], row[0]["returned_k"]) == (2, 1)
    assert (row[0]["hits_at_1"], row[0]["hits_at_k"]) == (0.0, 0.5)
    assert row[0]["similarity_regret"] == pytest.approx(1 - 0.5**0.5, abs=1e-6)
    nothing = similarity_audit.audit(papers, stored, matches.slice(0, 0), count=2).to_pylist()
    assert nothing[0]["hits_at_k"] == 0
    assert nothing[0]["similarity_regret"] == 1


def test_the_audit_takes_zero_rows(papers, patents):
    stored = in_one_block(patents)
    empty = similarity_audit.audit(
        papers.slice(0, 0), stored, tables.MATCHES.empty_table(), count=3
    )
    assert empty.num_rows == 0
    assert empty.schema == tables.MATCH_AUDIT


def test_a_similarity_depends_on_the_pair_alone():
    random = np.random.default_rng(3)
    left, right = (random.normal(size=(200, 384)).astype(np.float32) for _ in range(2))
    together = similarity_matcher.pair_similarities(left, right)
    alone = [
        similarity_matcher.pair_similarities(left[[row]], right[[row]])[0]
        for row in range(len(left))
    ]
    assert together.tolist() == alone


# --- stored blocks --------------------------------------------------------------------------------

# How patents may be parted: a name for each block, from the years and numbers of rows.
PARTS = {
    "one block": lambda years: np.zeros(len(years), int),
    "one year each": lambda years: years,
    "two years each": lambda years: years // 2,
    "the first year alone": lambda years: (years > 2000).astype(int),
    "parts of a year": lambda years: 10 * years + np.arange(len(years)) % 3,
    "without regard to years": lambda years: np.arange(len(years)) % 4,
}


def stored(patents, folder, parts="two years each", *, index=False, **settings):
    """Patents from blocks, each stored as a shard of its own, in any order of rows."""
    parts = PARTS[parts](patents.column("year").to_numpy())
    rows = [
        store_block(patents.filter(pa.array(parts == part)), folder=folder, index=index, **settings)
        for part in np.unique(parts)
    ]
    return Patents.from_blocks(pa.concat_tables(rows))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def in_shards(papers, matcher, *, shards=5, seed=0):
    """What matching finds when shards of papers of mixed years come in some order."""
    numbers = np.random.default_rng(seed).integers(0, shards, papers.num_rows)
    found = [matcher.step(papers.filter(pa.array(numbers == shard))) for shard in range(shards)]
    return ordered(pa.concat_tables(found))


def ordered(matches):
    return matches.sort_by([("paper_id", "ascending"), ("rank", "ascending")])


@pytest.fixture(scope="module")
def twins(patents):
    """Patents among which many, of different years, have equal vectors."""
    random = np.random.default_rng(7)
    years = pa.array(random.integers(2000, 2021, patents.num_rows), pa.int32())
    ids = pa.array([f"Q{number:05d}" for number in random.permutation(patents.num_rows)])
    again = patents.set_column(0, "document_id", ids).set_column(1, "year", years)
    return pa.concat_tables([patents, again])


@pytest.mark.parametrize("parts", PARTS)
def test_exact_matches_are_the_same_to_the_bit_however_patents_are_parted(
    papers, twins, parts, tmp_path
):
    matcher = similarity_matcher.Matcher(stored(twins, tmp_path, parts), 7, method="exact")
    matches = matcher.step(papers)
    assert matches.equals(matched(papers, twins, count=7, method="exact"))
    assert found(matches) == brute_force(papers, twins, 7)
    assert in_shards(papers, matcher).equals(ordered(matches))


@pytest.fixture(scope="module")
def crowd():
    return clustered("P", 20_000, seed=4)


@pytest.mark.parametrize("parts", [name for name in PARTS if name != "without regard to years"])
def test_stored_indexes_find_what_comparing_everything_finds(
    papers, crowd, parts, tmp_path, monkeypatch
):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 200)
    blocks = stored(crowd, tmp_path, parts, index=True)
    assert all(block.index_path for block in blocks.blocks)
    matcher = similarity_matcher.Matcher(blocks, 10, method="hnsw")
    matches = matcher.step(papers)
    assert set(matches.column("method").to_pylist()) == {"hnsw"}
    audit = similarity_audit.audit(papers, blocks, matches, count=10)
    assert np.mean(audit.column("hits_at_1")) >= 0.98
    assert np.mean(audit.column("hits_at_k")) >= 0.98
    # In any order, which a sweep refuses, and the same in any company.
    assert in_shards(papers, matcher).equals(ordered(matches))


def test_every_stored_index_is_asked(crowd, tmp_path, monkeypatch):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 200)
    blocks = stored(crowd, tmp_path, "one year each", index=True)
    matcher = similarity_matcher.Matcher(blocks, 1, method="hnsw")
    # Patents as papers of the first year: each is its own nearest.
    sample = crowd.slice(0, 500)
    early = sample.set_column(1, "year", pa.array([2000] * 500, pa.int32()))
    compared, compare = [], strategies.ExactSearch.candidates

    def counted(search, queries, runs, least=None):
        compared.append(len(queries) * int((runs[:, 1] - runs[:, 0]).sum()))
        return compare(search, queries, runs, least)

    monkeypatch.setattr(strategies.ExactSearch, "candidates", counted)
    matches = matcher.step(early)
    assert sum(compared) == 0
    same = pc.equal(matches.column("paper_id"), matches.column("patent_id"))
    assert np.mean(same) >= 0.98
    assert len(set(matches.column("patent_year").to_pylist())) == 21


def test_no_patent_from_stored_blocks_is_earlier_than_its_paper(
    papers, crowd, tmp_path, monkeypatch
):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 200)
    blocks = stored(crowd, tmp_path, "two years each", index=True)
    matches = similarity_matcher.Matcher(blocks, 40, method="hnsw").step(papers)
    years = [matches.column(name).to_numpy() for name in ("paper_year", "patent_year")]
    assert (years[1] >= years[0]).all()
    delivered = {row["document_id"]: row["year"] for row in crowd.to_pylist()}
    patents = matches.column("patent_id").to_pylist()
    assert [delivered[patent] for patent in patents] == years[1].tolist()


def test_papers_at_the_edge_of_a_block_get_all_its_patents(tmp_path, monkeypatch):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 0)
    patents = documents([f"P{year}" for year in range(2000, 2006)], range(2000, 2006), np.eye(6))
    expected = {f"W{year}": min(6, max(0, 2006 - year)) for year in range(1999, 2008)}
    vectors = np.ones((9, 6)) + 0.1 * np.random.default_rng(0).random((9, 6))
    papers = documents(list(expected), range(1999, 2008), vectors)
    for parts in PARTS:
        for index in (False, True):
            blocks = stored(patents, tmp_path, parts, index=index)
            for method in ("exact", "hnsw"):
                matches = similarity_matcher.Matcher(blocks, 9, method=method).step(papers)
                counts = dict.fromkeys(expected, 0)
                for paper in matches.column("paper_id").to_pylist():
                    counts[paper] += 1
                assert counts == expected, (parts, index, method)


def test_blocks_without_an_index_are_swept_like_patents_of_one_file(
    papers, patents, tmp_path, monkeypatch
):
    monkeypatch.setattr(similarity_method, "ALWAYS_EXACT_BELOW", 0)
    blocks = stored(patents, tmp_path, "one year each")
    swept = similarity_matcher.Matcher(blocks, 5, method="hnsw").step(papers)
    assert swept.equals(matched(papers, patents, count=5, method="hnsw"))


def test_small_blocks_go_without_an_index(papers, patents, tmp_path):
    blocks = stored(patents, tmp_path, "two years each", index=True)
    assert [block.index_path for block in blocks.blocks] == [None] * 11
    matches = similarity_matcher.Matcher(blocks, 5, method="hnsw").step(papers)
    exact = matched(papers, patents, count=5, method="exact")
    assert matches.drop_columns("method").equals(exact.drop_columns("method"))


@pytest.mark.parametrize("method", ["exact", "hnsw"])
def test_another_process_finds_the_same(papers, patents, method, tmp_path):
    blocks = stored(patents, tmp_path, "one block", index=True)
    early = papers.set_column(1, "year", pa.array([2000] * len(papers), pa.int32()))
    matcher = similarity_matcher.Matcher(blocks, 5, method=method)
    assert len(pickle.dumps(matcher)) < 2000
    matches = called_in_another_process(matcher.step, early)
    assert set(matches.column("method").to_pylist()) == {method}
    assert matches.equals(matcher.step(early))


def test_an_index_that_grows_stays_in_its_process(papers, patents, tmp_path):
    blocks = stored(patents, tmp_path)
    matcher = similarity_matcher.Matcher(blocks, 5, method="hnsw")
    matches = matcher.step(papers)
    assert matcher._index is not None
    again = pickle.loads(pickle.dumps(matcher))
    assert again._index is None
    assert again.step(papers).equals(matches)


def test_a_block_is_stored_the_same_to_the_byte_and_once(patents, tmp_path):
    store = partial(store_block, index=True)
    row = store(patents, folder=tmp_path / "one")
    assert row.schema == tables.PATENT_BLOCKS
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").iterdir()}
    # What a killed task leaves is nobody's.
    (tmp_path / "one" / "0.block.partial").write_bytes(b"torn")
    assert store(patents, folder=tmp_path / "one").equals(row)
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    (tmp_path / "one" / "0.block.partial").unlink()
    shuffled = patents.take(np.random.default_rng(0).permutation(patents.num_rows))
    called_in_another_process(partial(store, folder=tmp_path / "other"), shuffled)
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    digest = row.column("digest")[0].as_py()
    assert set(contents(tmp_path / "one")) == {
        f"{digest}.block.npy",
        f"{digest}.block.arrow",
        f"{digest}.block.ip-16-128.usearch",
    }


def test_the_row_of_a_block_tells_what_is_in_it(patents, tmp_path):
    undated = documents(["P-"], [None], np.ones((1, WIDTH)))
    table = pa.concat_tables([patents, undated])
    row = store_block(
        table, folder=tmp_path, index=True, connectivity=8, expansion_add=64
    ).to_pylist()[0]
    stem = str(tmp_path / f"{row['digest']}.block")
    assert row == {
        "digest": row["digest"],
        "path": stem,
        "patents": 6000,
        "width": WIDTH,
        "first_year": 2000,
        "last_year": 2020,
        "model_version": MODEL,
        "connectivity": 8,
        "expansion_add": 64,
        "index_path": f"{stem}.ip-8-64.usearch",
    }


def test_indexes_of_different_settings_lie_side_by_side(patents, tmp_path):
    rows = [
        store_block(patents, folder=tmp_path, index=True, connectivity=connectivity)
        for connectivity in (8, 16)
    ]
    assert len(list(tmp_path.glob("*.usearch"))) == 2
    assert len(list(tmp_path.glob("*.npy"))) == 1
    with pytest.raises(ValueError, match="stored with connectivity and expansion_add"):
        similarity_matcher.Matcher(Patents.from_blocks(rows[0]), 3, method="hnsw")
    similarity_matcher.Matcher(Patents.from_blocks(rows[0]), 3, method="exact")
    with pytest.raises(ValueError, match="more than one connectivity: 16, 8"):
        Patents.from_blocks(pa.concat_tables(rows))


def test_the_version_follows_the_way_of_the_index(patents, tmp_path):
    versions = [
        similarity_matcher.Matcher(blocks, 3, method="hnsw").version
        for blocks in (
            stored(patents, tmp_path / "elsewhere", "one block"),
            stored(patents, tmp_path, "one block"),
            stored(patents, tmp_path, "one block", index=True),
            stored(patents, tmp_path, "two years each", index=True),
        )
    ]
    # The same patents in the same order are swept to the same matches, from whatever files.
    assert versions[0] == versions[1]
    assert len(set(versions)) == 3


def test_no_patents_are_stored_as_no_block(papers, patents, tmp_path):
    for empty in (patents.slice(0, 0), documents(["P"], [None], np.ones((1, WIDTH)))):
        rows = store_block(empty, folder=tmp_path, index=True)
        assert rows.num_rows == 0
        assert rows.schema == tables.PATENT_BLOCKS
    none = Patents.from_blocks(rows)
    assert len(none) == 0
    for method in ("exact", "hnsw"):
        matches = matching.match(papers, none, count=3, method=method)
        assert matches.num_rows == 0
        assert matches.schema == tables.MATCHES


def test_vectors_may_come_as_plain_lists(papers, patents, tmp_path):
    def plain(table):
        column = table.column("embedding").cast(pa.list_(pa.float32()))
        return table.set_column(table.column_names.index("embedding"), "embedding", column)

    blocks = stored(plain(patents), tmp_path)
    assert blocks == stored(patents, tmp_path)
    matches = matching.match(plain(papers), blocks, count=3)
    assert matches.equals(matched(papers, patents))


def test_blocks_that_cannot_be_are_refused(patents, tmp_path):
    store = partial(store_block, folder=tmp_path, index=False)
    with pytest.raises(ValueError, match="a patent once: P1"):
        store(documents(["P1", "P1"], [2000, 2000], np.eye(2)))
    other = documents(["P"], [2000], np.ones((1, WIDTH)), model="other")
    with pytest.raises(ValueError, match="more than one model"):
        store(pa.concat_tables([patents, other]))
    row = store(patents)
    with pytest.raises(ValueError, match="comes twice"):
        Patents.from_blocks(pa.concat_tables([row, row]))
    with pytest.raises(ValueError, match="more than one model"):
        Patents.from_blocks(pa.concat_tables([row, store(other)]))
    narrow = store(documents(["P1", "P2"], [2000, 2000], np.eye(2)))
    with pytest.raises(ValueError, match="more than one width: 2, 48"):
        Patents.from_blocks(pa.concat_tables([row, narrow]))
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("gone", ["*", "*.usearch"])
def test_blocks_whose_files_are_gone_are_named_with_what_to_do(papers, patents, gone, tmp_path):
    blocks = stored(patents, tmp_path, "one block", index=True)
    for path in tmp_path.glob(gone):
        path.unlink()
    early = papers.set_column(1, "year", pa.array([2000] * len(papers), pa.int32()))
    # Nothing is opened before it is needed: where dbt runs, the folder need not be.
    matcher = similarity_matcher.Matcher(blocks, 3, method="hnsw")
    assert matcher.version
    with pytest.raises(FileNotFoundError, match=r"block.* (run|store the block) again"):
        matcher.step(early)
