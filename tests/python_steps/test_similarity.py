"""The year sweep: the rule of years, exactness, ties, and the audit."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from python_steps import engine, similarity, tables

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


def brute_force(papers, patents, count):
    """Say the same in the plainest way: (paper, patent, rank, similarity) in order."""
    vectors = np.stack(patents.column("embedding").to_numpy()).astype(np.float64)
    ids = patents.column("document_id").to_pylist()
    years = patents.column("year").to_pylist()
    rows = []
    for paper in papers.to_pylist():
        values = (vectors @ np.array(paper["embedding"], np.float64)).astype(np.float32)
        allowed = [place for place in range(len(ids)) if years[place] >= paper["year"]]
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
    return similarity.match(papers, similarity.Patents.from_table(patents), count=count, **settings)


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
    monkeypatch.setattr(similarity, "PAPERS_PER_BLOCK", 17)
    assert matched(papers, patents, method="exact", memory=memory).equals(whole)


def test_the_index_finds_what_comparing_everything_finds(papers, patents, monkeypatch):
    monkeypatch.setattr(similarity, "ALWAYS_EXACT_BELOW", 0)
    approximate = matched(papers, patents, count=10, method="hnsw")
    assert set(approximate.column("method").to_pylist()) == {"hnsw"}
    exact = set(found(matched(papers, patents, count=10, method="exact")))
    exact_pairs = {(paper, patent) for paper, patent, _, _ in exact}
    pairs = {(paper, patent) for paper, patent, _, _ in found(approximate)}
    assert len(pairs & exact_pairs) / len(exact_pairs) >= 0.98


def test_a_pair_has_the_same_similarity_by_either_method(papers, patents, monkeypatch):
    monkeypatch.setattr(similarity, "ALWAYS_EXACT_BELOW", 0)
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
def test_no_patent_is_earlier_than_its_paper(papers, patents, method, monkeypatch):
    monkeypatch.setattr(similarity, "ALWAYS_EXACT_BELOW", 0)
    matches = matched(papers, patents, count=40, method=method)
    years = [matches.column(name).to_numpy() for name in ("paper_year", "patent_year")]
    assert (years[1] >= years[0]).all()
    delivered = {row["document_id"]: row["year"] for row in patents.to_pylist()}
    assert [delivered[patent] for patent in matches.column("patent_id").to_pylist()] == list(
        years[1]
    )


@pytest.mark.parametrize("method", ["exact", "hnsw"])
def test_a_paper_gets_as_many_patents_as_there_are(method, monkeypatch):
    monkeypatch.setattr(similarity, "ALWAYS_EXACT_BELOW", 0)
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
    monkeypatch.setattr(similarity, "ALWAYS_EXACT_BELOW", 0)
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


def test_auto_takes_the_index_from_the_given_number_of_patents(patents):
    stored = similarity.Patents.from_table(patents)
    assert similarity.Matcher(stored, 3, exact_below=6000).method == "hnsw"
    assert similarity.Matcher(stored, 3, exact_below=6001).method == "exact"


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
    monkeypatch.setattr(similarity, "ALWAYS_EXACT_BELOW", 0)
    connection = duckdb.connect()
    connection.execute("create table papers as select * from papers")
    stored = similarity.Patents.from_table(patents, folder=tmp_path / "vectors")

    def sweep(step, version):
        return engine.map_shards(
            connection.table("papers"),
            step,
            key="year",
            descending=True,
            schema=tables.MATCHES,
            description="match",
            version=version,
            checkpoints=tmp_path / "work",
        ).read_all()

    def killed(table):
        if table.column("year")[0].as_py() == 2010:
            raise KeyError("killed")
        return first.step(table)

    first = similarity.Matcher(stored, 5, method=method)
    with pytest.raises(Exception, match="killed"):
        sweep(killed, first.version)
    again = similarity.Matcher(similarity.Patents.from_table(patents), 5, method=method)
    assert again.version == first.version
    resumed = sweep(again.step, again.version)
    assert resumed.equals(matched(papers, patents, count=5, method=method))


def test_the_version_follows_patents_and_settings(patents):
    def version(table, count=3, **settings):
        return similarity.Matcher(similarity.Patents.from_table(table), count, **settings).version

    versions = [
        version(patents),
        version(patents.slice(1)),
        version(patents, count=4),
        version(patents, method="hnsw"),
        version(patents, method="hnsw", expansion_search=64),
    ]
    assert len(set(versions)) == len(versions)
    assert version(patents.take(np.arange(6000)[::-1])) == versions[0]


def test_patents_out_of_order_are_named():
    table = documents(["P1", "P2"], [2000, 2001], np.eye(2))
    with pytest.raises(ValueError, match=r"P1 \(2000\) is followed by P2 \(2001\)"):
        similarity.Patents.from_batches(table.to_batches())
    twice = documents(["P1", "P1"], [2000, 2000], np.eye(2))
    with pytest.raises(ValueError, match="each once"):
        similarity.Patents.from_batches(twice.to_batches())


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
    monkeypatch.setattr(similarity, "ALWAYS_EXACT_BELOW", 0)
    matcher = similarity.Matcher(similarity.Patents.from_table(patents), 3, method="hnsw")
    years = papers.column("year").to_numpy()
    matcher.step(papers.filter(pa.array(years == 2005)))
    with pytest.raises(ValueError, match="from the last to the first"):
        matcher.step(papers.filter(pa.array(years == 2006)))


@pytest.mark.parametrize("settings", [{"method": "fast"}, {"count": 0}])
def test_settings_that_mean_nothing_are_refused(patents, settings):
    with pytest.raises(ValueError, match="must be"):
        matched(patents, patents, **settings)


def test_the_audit_of_an_exact_answer_finds_nothing_missing(papers, patents):
    matches = matched(papers, patents, count=10, method="exact")
    result = similarity.audit(papers, similarity.Patents.from_table(patents), matches, count=10)
    assert result.schema == tables.MATCH_AUDIT
    assert set(result.column("hits_at_1").to_pylist()) == {1.0}
    assert set(result.column("hits_at_k").to_pylist()) == {1.0}
    assert set(result.column("similarity_regret").to_pylist()) == {0.0}


def test_the_audit_sees_what_is_missing():
    stored = similarity.Patents.from_table(
        documents(["P1", "P2", "P3"], [2010] * 3, [[1, 0], [1, 1], [0, 1]])
    )
    papers = documents(["W1", "W2"], [2000, 2011], [[1, 0], [1, 0]])
    matches = similarity.match(papers, stored, count=2)
    without_best = matches.filter(pa.array([False, True]))
    row = similarity.audit(papers, stored, without_best, count=2).to_pylist()
    assert len(row) == 1  # no patent is as late as W2
    assert (row[0]["expected_k"], row[0]["returned_k"]) == (2, 1)
    assert (row[0]["hits_at_1"], row[0]["hits_at_k"]) == (0.0, 0.5)
    assert row[0]["similarity_regret"] == pytest.approx(1 - 0.5**0.5, abs=1e-6)
    nothing = similarity.audit(papers, stored, matches.slice(0, 0), count=2).to_pylist()
    assert nothing[0]["hits_at_k"] == 0
    assert nothing[0]["similarity_regret"] == 1


def test_the_audit_takes_zero_rows(papers, patents):
    stored = similarity.Patents.from_table(patents)
    empty = similarity.audit(papers.slice(0, 0), stored, tables.MATCHES.empty_table(), count=3)
    assert empty.num_rows == 0
    assert empty.schema == tables.MATCH_AUDIT


def test_a_similarity_depends_on_the_pair_alone():
    random = np.random.default_rng(3)
    left, right = (random.normal(size=(200, 384)).astype(np.float32) for _ in range(2))
    places = np.arange(200)
    together = similarity.pair_similarities(left, places, right, places)
    alone = [similarity.pair_similarities(left, [row], right, [row])[0] for row in places]
    assert together.tolist() == alone
