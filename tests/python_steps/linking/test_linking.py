"""Judging linking by known pairs: words, ranks, fusion, measures, and what is left out."""

import math
import pickle
import random
from collections import Counter

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from python_steps import tables
from python_steps.linking import candidates, measures, plots, report
from python_steps.linking import ranking as linking_ranking
from python_steps.linking.words import Bm25, Words
from python_steps.statistics import intervals
from tests.real_data import path_of

WIDTH = 8
WORDS = [f"word{number}" for number in range(40)]
STOP_WORDS = ["the", "of", "word39"]


def documents(prefix, count, *, seed, kind, first=2000, last=2004, spaces=("title_abstract",)):
    """Rows of documents in each space: vectors of a few directions, texts of a few words."""
    numbers = np.random.default_rng(seed)
    letters = random.Random(seed)
    texts = [" ".join(letters.choices(WORDS, k=letters.randrange(3, 30))) for _ in range(count)]
    years = numbers.integers(first, last + 1, count).tolist()
    rows = []
    for space in spaces:
        vectors = numbers.normal(size=(count, WIDTH))
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        rows += [
            {
                "space": space,
                "document_id": f"{prefix}{place:03d}",
                "document_type": kind,
                "shard": str(place % 4),
                "year": years[place],
                "text": texts[place],
                "embedding": vectors[place].tolist(),
            }
            for place in range(count)
        ]
    return rows


def listed(paper, *patents, space="title_abstract"):
    """Rows of the patents that are published for a paper, in order."""
    named = {"space": space, "paper_id": paper}
    return [named | {"patent_id": each, "rank": rank} for rank, each in enumerate(patents, start=1)]


def link(paper, patent, kind="twin", is_same=True, reason=None):
    named = {"paper_id": paper, "patent_id": patent, "kind": kind, "is_same": is_same}
    return named | {"reason": reason}


DOCUMENTS = pa.schema(
    [
        *((name, pa.string()) for name in ("space", "document_id", "document_type")),
        ("shard", pa.string()),
        ("year", pa.int64()),
        ("text", pa.string()),
        ("embedding", pa.list_(pa.float32(), WIDTH)),
    ]
)
LINKS = pa.schema(
    [
        *((name, pa.string()) for name in ("paper_id", "patent_id", "kind")),
        ("is_same", pa.bool_()),
        ("reason", pa.string()),
    ]
)


PUBLISHED = pa.schema(
    [
        *((name, pa.string()) for name in ("space", "paper_id", "patent_id")),
        ("rank", pa.int32()),
    ]
)


def ranked(links, papers, patents, published=(), *, spaces=("title_abstract",), **settings):
    """Rank as a build does, over relations of DuckDB."""
    with duckdb.connect() as connection:
        relations = []
        for name, rows, schema in (
            ("links", links, LINKS),
            ("documents", papers + patents, DOCUMENTS),
            ("published", list(published), PUBLISHED),
        ):
            connection.register(name, pa.Table.from_pylist(rows, schema=schema))
            relations.append(connection.table(name))
        settings = {"published_space": spaces[0]} | settings
        return linking_ranking.rank(*relations, stop_words=STOP_WORDS, spaces=spaces, **settings)


def ranks(found, **chosen):
    """Return the rank of each pair by the rows that have these values."""
    chosen = {"method": "title_abstract", "reranked_candidates": None} | chosen
    return {
        (row["paper_id"], row["patent_id"]): row["rank"]
        for row in found.to_pylist()
        if all(row[name] == value for name, value in chosen.items())
    }


# ---------------------------------------------------------------- the same in the plainest way


def cosines(paper, patents):
    asked = np.array(paper["embedding"], np.float64)
    return {
        row["document_id"]: float(np.float32(asked @ np.array(row["embedding"], np.float64)))
        for row in patents
    }


def words_of(text):
    return [word for word in text.lower().split() if word not in STOP_WORDS]


def bm25_by_hand(paper, patents):
    """BM25 as the formula stands in the books, word by word."""
    words = [words_of(row["text"]) for row in patents]
    holding = Counter(word for each in words for word in set(each))
    lengths = [len(each) for each in words]
    mean = sum(lengths) / len(lengths)
    scores = {}
    for row, each, length in zip(patents, words, lengths, strict=True):
        counts = Counter(each)
        score = 0.0
        for word in words_of(paper["text"]):
            weight = math.log(1 + (len(patents) - holding[word] + 0.5) / (holding[word] + 0.5))
            score += (
                weight * counts[word] / (counts[word] + 1.2 * (1 - 0.75 + 0.75 * length / mean))
            )
        scores[row["document_id"]] = score
    return scores


def ordered(scores, allowed):
    """Names by falling score, equals by name; without a common word there is no place."""
    return sorted((name for name in allowed if scores[name] != 0), key=lambda n: (-scores[n], n))


def fused_by_hand(*rankings):
    scores = Counter()
    for ranking in rankings:
        for place, name in enumerate(ranking, start=1):
            scores[name] += 1 / (60 + place)
    return sorted(
        scores,
        key=lambda n: (-scores[n], rankings[0].index(n) if n in rankings[0] else 10**6, n),
    )


def test_every_way_of_comparing_ranks_as_comparing_one_by_one_does():
    spaces = ("title_abstract", "keywords")
    papers = documents("W", 6, seed=1, kind="paper", spaces=spaces)
    patents = documents("P", 90, seed=2, kind="patent", spaces=spaces)
    links = [
        link(f"W{paper:03d}", f"P{patent:03d}")
        for paper in range(6)
        for patent in range(paper, 90, 7)
    ]
    by_space = {space: [row for row in patents if row["space"] == space] for space in spaces}
    years = {row["document_id"]: row["year"] for row in patents}
    year_of = {row["document_id"]: row["year"] for row in papers}
    links = [each for each in links if years[each["patent_id"]] >= year_of[each["paper_id"]]]
    assert len(links) > 30
    # Published are ten patents of each paper, in an order of their own.
    lists_of = {
        name: [f"P{place:03d}" for place in range(9 * number, 9 * number + 10)]
        for number, name in enumerate(year_of)
    }
    published = [row for name, patents_of in lists_of.items() for row in listed(name, *patents_of)]
    found = ranked(links, papers, patents, published, spaces=spaces)
    expected = {}
    for each in links:
        paper = {r["space"]: r for r in papers if r["document_id"] == each["paper_id"]}
        others = {
            other["patent_id"]
            for other in links
            if other["paper_id"] == each["paper_id"] and other != each
        }
        allowed = [
            name
            for name, year in years.items()
            if year >= year_of[each["paper_id"]] and name not in others
        ]
        near = {space: cosines(paper[space], by_space[space]) for space in spaces}
        words = bm25_by_hand(paper["title_abstract"], by_space["title_abstract"])
        lists = {space: ordered(near[space], allowed) for space in spaces}
        lists["bm25"] = ordered(words, allowed)
        orders = {
            ("title_abstract", None): lists["title_abstract"],
            ("keywords", None): lists["keywords"],
            ("bm25", None): lists["bm25"],
            ("title_abstract+keywords", None): fused_by_hand(*(lists[s] for s in spaces)),
            ("title_abstract+bm25", None): fused_by_hand(lists["title_abstract"], lists["bm25"]),
            ("keywords+bm25", None): fused_by_hand(lists["keywords"], lists["bm25"]),
            ("title_abstract+keywords+bm25", None): fused_by_hand(*lists.values()),
            ("published", None): [n for n in lists_of[each["paper_id"]] if n not in others],
        }
        for space in spaces:
            for count in (10, 50, 100):
                top = lists[space][:count]
                by_words = sorted(top, key=lambda name: -words[name])
                orders[f"{space}+bm25", count] = fused_by_hand(top, by_words) + lists[space][count:]
        for way, order in orders.items():
            rank = order.index(each["patent_id"]) + 1 if each["patent_id"] in order else None
            key = (each["paper_id"], each["patent_id"], *way)
            expected[key] = (rank, len(allowed))
    names = ("paper_id", "patent_id", "method", "reranked_candidates")
    assert {
        tuple(row[name] for name in names): (row["rank"], row["eligible_patents"])
        for row in found.to_pylist()
    } == expected
    assert found.schema == tables.LINKS_RANKED


def test_shards_and_the_order_of_rows_change_nothing():
    papers = documents("W", 3, seed=3, kind="paper")
    patents = documents("P", 60, seed=4, kind="patent", first=2004)
    links = [link("W000", "P001"), link("W001", "P002"), link("W002", "P059")]
    otherwise = [row | {"shard": "all"} for row in reversed(patents)]
    found = ranked(links, papers, patents, depth=15)
    assert found.equals(ranked(links, list(reversed(papers)), otherwise, depth=15))


def test_more_candidates_than_are_held_at_once_change_nothing(monkeypatch):
    papers = documents("W", 3, seed=3, kind="paper")
    patents = documents("P", 60, seed=4, kind="patent", first=2004)
    links = [link("W000", "P001"), link("W001", "P002"), link("W002", "P059")]
    found = ranked(links, papers, patents, depth=5)
    monkeypatch.setattr(candidates, "CANDIDATES_AT_ONCE", 7)
    monkeypatch.setattr(candidates, "SCORES_AT_ONCE", 20)
    assert found.equals(ranked(links, papers, patents, depth=5))


def test_patents_of_other_years_are_not_among_the_candidates():
    paper = documents("W", 1, seed=5, kind="paper", first=2002, last=2002)
    patents = documents("P", 6, seed=6, kind="patent")
    for place, row in enumerate(patents):
        row |= {"year": 2000 + place, "embedding": paper[0]["embedding"]}
    pair = ("W000", "P005")
    assert ranks(ranked([link(*pair)], paper, patents)) == {pair: 4}
    assert ranks(ranked([link(*pair)], paper, patents, minimum_lag=2)) == {pair: 2}
    found = ranked([link("W000", "P003")], paper, patents, minimum_lag=1, maximum_lag=2)
    assert ranks(found) == {("W000", "P003"): 1}
    assert found.column("eligible_patents").unique().to_pylist() == [2]


@pytest.mark.parametrize(("is_same", "rank"), [(True, 1), (None, 1), (False, 2)])
def test_another_right_answer_is_no_mistake_and_a_near_miss_is(is_same, rank):
    paper = documents("W", 1, seed=7, kind="paper", last=2000)
    patents = documents("P", 5, seed=8, kind="patent")
    patents[3]["embedding"] = paper[0]["embedding"]  # the nearest
    near = [0.0] * WIDTH
    near[:] = (np.array(paper[0]["embedding"]) + 0.01 * np.eye(WIDTH)[0]).tolist()
    patents[4]["embedding"] = (np.array(near) / np.linalg.norm(near)).tolist()
    links = [link("W000", "P004"), link("W000", "P003", "another", is_same)]
    assert ranks(ranked(links, paper, patents))["W000", "P004"] == rank


def test_a_patent_below_the_depth_has_no_rank():
    paper = documents("W", 1, seed=9, kind="paper", last=2000)
    patents = documents("P", 30, seed=10, kind="patent")
    links = [link("W000", f"P{place:03d}", is_same=False) for place in range(30)]
    found = ranked(links, paper, patents, depth=4)
    in_order = sorted(ranks(found).values(), key=lambda rank: rank or 99)
    assert in_order == [1, 2, 3, 4] + [None] * 26
    # Nor has it one where two rankings are fused, which hold more than that together.
    assert max(rank for rank in found.column("rank").to_pylist() if rank) == 4


def test_right_answers_take_no_place_from_what_is_below_them():
    papers = documents("W", 2, seed=9, kind="paper", last=2000)
    patents = documents("P", 60, seed=10, kind="patent")
    of_one = [link("W000", f"P{place:03d}") for place in range(57)]
    of_other = [link("W001", f"P{place:03d}", is_same=False) for place in range(60)]
    found = ranked(of_one + of_other, papers, patents, depth=4)
    by_pair = ranks(found)
    deep = ranks(ranked(of_one + of_other, papers, patents))
    within = [deep[pair] if deep[pair] <= 4 else None for pair in by_pair]
    assert list(by_pair.values()) == within
    assert None not in {rank for (paper, _), rank in by_pair.items() if paper == "W000"}


def test_a_right_answer_that_was_not_drawn_is_no_mistake():
    papers = documents("W", 1, seed=7, kind="paper", last=2000)
    patents = documents("P", 5, seed=8, kind="patent")
    nearest = np.array(papers[0]["embedding"])
    for row, distance in zip(patents, (0.0, 0.1, 0.2, 9.0, 9.0), strict=True):
        near = nearest + distance * np.eye(WIDTH)[0]
        row["embedding"] = (near / np.linalg.norm(near)).tolist()
    links = [
        link("W000", "P000", reason="not_drawn"),
        link("W000", "P001", reason="patent_not_ai"),
        link("W000", "P002"),
        link("W999", "P001", reason="not_drawn"),
    ]
    found = ranked(links, papers, patents)
    assert ranks(found) == {("W000", "P002"): 2}
    assert set(found.column("eligible_patents").to_pylist()) == {4}


def test_the_order_that_is_published_is_judged_by_what_a_reader_sees():
    papers = documents("W", 3, seed=7, kind="paper", last=2000)
    patents = documents("P", 9, seed=8, kind="patent")
    published = [
        *listed("W000", "P003", "P001", "P002", "P004"),
        *listed("W001", "P005"),
        # Another space, in another order.
        *listed("W000", "P004", "P002", space="keywords"),
        *listed("W001", "P006", "P005", space="keywords"),
    ]
    links = [
        link("W000", "P002"),
        link("W000", "P001", reason="not_drawn"),  # right as well, so its place is not counted
        link("W000", "P004", "near_miss", is_same=False),
        link("W001", "P006"),  # not listed
        link("W002", "P007"),  # nothing is listed
    ]
    found = ranked(links, papers, patents, published)
    assert ranks(found, method="published") == {
        ("W000", "P002"): 2,
        ("W000", "P004"): 2,
        ("W001", "P006"): None,
        ("W002", "P007"): None,
    }
    of_keywords = ranked(links, papers, patents, published, published_space="keywords")
    assert ranks(of_keywords, method="published") == {
        ("W000", "P002"): 2,
        ("W000", "P004"): 1,
        ("W001", "P006"): 1,
        ("W002", "P007"): None,
    }
    (row,) = [
        row
        for row in measures.measure(found, baseline="title_abstract").to_pylist()
        if (row["kind"], row["method"]) == ("twin", "published")
    ]
    assert (row["pairs"], row["hit_at_1"], row["hit_at_10"]) == (3, 0, pytest.approx(1 / 3))
    assert row["mean_reciprocal_rank"] == pytest.approx(1 / 6)


def test_without_known_pairs_no_patent_is_read():
    class Unread:
        def __getattr__(self, name):
            pytest.fail(f"{name} was asked for")

    with duckdb.connect() as connection:
        connection.register("links", LINKS.empty_table())
        found = linking_ranking.rank(
            connection.table("links"),
            *(Unread(), Unread()),
            stop_words=[],
            spaces=["keywords"],
            published_space="keywords",
        )
    assert found.equals(tables.LINKS_RANKED.empty_table())
    assert measures.measure(found, baseline="keywords").equals(tables.LINKING_QUALITY.empty_table())


def test_a_paper_of_no_words_is_found_by_its_vector_alone():
    paper = documents("W", 1, seed=11, kind="paper", last=2000)
    paper[0]["text"] = "the of"
    patents = documents("P", 3, seed=12, kind="patent")
    found = ranked([link("W000", "P001")], paper, patents)
    assert ranks(found, method="bm25") == {("W000", "P001"): None}
    assert ranks(found, method="title_abstract+bm25") == ranks(found)


def test_what_the_workers_of_a_cluster_get_comes_to_them_whole():
    words = Words.of(["deep nets", "of deep roots"], ["of"])
    assert list(words.places) == ["deep", "nets", "roots"]
    bm25 = Bm25.of(words, 10, np.array([2, 0, 5]), 70)
    there = pickle.loads(pickle.dumps(bm25))
    texts = ["Deep deep ROOTS, of nets?", ""]
    assert (there.held(texts) != bm25.held(texts)).nnz == 0
    counts, lengths = there.words.count(texts)
    assert counts.toarray().tolist() == [[2, 1, 1], [0, 0, 0]]
    assert lengths.tolist() == [4, 0]


def test_equals_of_a_fusion_go_by_the_first_ranking_and_then_by_name():
    assert linking_ranking.fused([["b", "a"], ["a", "b"]]) == ["b", "a"]
    assert linking_ranking.fused([["x"], ["c"], ["b"]]) == ["x", "b", "c"]
    assert linking_ranking.fused([["a", "b", "c"], ["c", "d"]]) == ["c", "a", "b", "d"]
    assert linking_ranking.fused([[], []]) == []


# ---------------------------------------------------------------- measures


def with_ranks(values, *, method="title_abstract", kind="twin", is_same=True, reranked=None):
    """Rows of ranked pairs; a value is the paper and the rank of one of its patents."""
    return [
        {
            **link(paper, f"P{place:03d}", kind, is_same),
            "method": method,
            "reranked_candidates": reranked,
            "rank": rank,
            "eligible_patents": 100 + place,
        }
        for place, (paper, rank) in enumerate(values)
    ]


def measured(rows, **settings):
    table = pa.Table.from_pylist(rows, schema=tables.LINKS_RANKED)
    found = measures.measure(table, baseline="title_abstract", **settings).to_pylist()
    return {(row["kind"], row["method"], row["reranked_candidates"]): row for row in found}


def test_measures_are_means_over_pairs():
    row = measured(with_ranks([("W1", 1), ("W1", 2), ("W2", 10), ("W3", 11), ("W4", None)]))[
        "twin", "title_abstract", None
    ]
    assert (row["pairs"], row["papers"], row["eligible_patents"]) == (5, 4, 102)
    assert row["hit_at_1"] == pytest.approx(1 / 5)
    assert row["hit_at_10"] == pytest.approx(3 / 5)
    assert row["mean_reciprocal_rank"] == pytest.approx((1 + 1 / 2 + 1 / 10 + 1 / 11) / 5)
    # Pairs of one paper are one look: as wide as of four.
    assert (row["hit_at_10_low"], row["hit_at_10_high"]) == intervals.wilson(3 / 5, 4)


def test_an_interval_by_bootstrap_holds_the_truth_as_often_as_it_says():
    random_ = np.random.default_rng(0)
    truth = (0.5 * 1 + 0.3 * 1 / 4) / 1
    inside = 0
    for _ in range(200):
        drawn = random_.choice([1, 4, None], size=80, p=[0.5, 0.3, 0.2])
        rows = with_ranks([(f"W{place}", rank) for place, rank in enumerate(drawn)])
        row = measured(rows, draws=200)["twin", "title_abstract", None]
        inside += row["mean_reciprocal_rank_low"] <= truth <= row["mean_reciprocal_rank_high"]
    assert 180 <= inside <= 199


def test_what_a_way_gains_is_paired():
    values = [(f"W{place}", 1 + place % 3) for place in range(60)]
    better = [(paper, 1) for paper, _ in values]
    rows = with_ranks(values) + with_ranks(better, method="title_abstract+bm25", reranked=10)
    found = measured(rows)
    row = found["twin", "title_abstract+bm25", 10]
    assert row["hit_at_1_gain"] == pytest.approx(2 / 3)
    assert 0.5 < row["hit_at_1_gain_low"] < 2 / 3 < row["hit_at_1_gain_high"] < 0.8
    # Both find all among ten, so no draw tells them apart.
    assert row["hit_at_10_gain_low"] == row["hit_at_10_gain_high"] == 0
    of_baseline = found["twin", "title_abstract", None]
    assert {value for name, value in of_baseline.items() if "_gain" in name} == {0}


def test_all_that_are_the_same_stand_together_and_nothing_else_with_them():
    rows = with_ranks([("W1", 1)])
    rows += with_ranks([("W2", 3)], kind="citation")
    rows += with_ranks([("W3", 1)], kind="near_miss", is_same=False)
    rows += with_ranks([("W4", 1)], kind="unsure", is_same=None)
    found = measured(rows)
    assert {kind for kind, _, _ in found} == {"twin", "citation", "near_miss", "unsure", "all_same"}
    together = found["all_same", "title_abstract", None]
    assert (together["pairs"], together["is_same"], together["hit_at_1"]) == (2, True, 0.5)
    assert found["unsure", "title_abstract", None]["is_same"] is None
    assert measures.ALL_SAME not in {kind for kind, _, _ in measured(rows[2:])}


def test_figures_depend_on_no_order_of_rows_and_on_no_other_kind():
    rows = with_ranks([(f"W{place}", 1 + place % 5) for place in range(20)])
    more = rows + with_ranks([("W1", 4)], kind="citation")
    key = ("twin", "title_abstract", None)
    assert measured(rows)[key] == measured(more[::-1])[key]
    assert measured(rows)[key] != measured(rows, seed=1)[key]


# ---------------------------------------------------------------- telling


@pytest.mark.parametrize(
    ("baseline", "missed"),
    [
        ("title_abstract", ["hit_at_1 of title_abstract is 0.500 on 2 pairs, and must be"]),
        ("bm25", []),
        ("keywords", ["There are no known pairs of the same invention"]),
    ],
)
def test_floors_are_about_the_baseline_and_about_all_patents(baseline, missed):
    rows = with_ranks([("W1", 1), ("W2", 3)])
    rows += with_ranks([("W1", 1), ("W2", 1)], method="bm25")
    rows += with_ranks([("W1", 1), ("W2", 1)], method="title_abstract+bm25", reranked=10)
    rows += with_ranks([("W3", 9)], kind="near_miss", is_same=False)
    rows += with_ranks([("W3", 9)], kind="near_miss", is_same=False, method="bm25")
    table = pa.Table.from_pylist(rows, schema=tables.LINKS_RANKED)
    judged = report.Judged(
        given=pa.table({}),
        ranked=table,
        measured=measures.measure(table, baseline="title_abstract"),
        baseline=baseline,
    )
    told = report.below(judged, [("hit_at_1", 0.8), ("hit_at_10", 1.0)])
    assert [sentence[: len(start)] for sentence, start in zip(told, missed, strict=True)] == missed


def test_of_many_kinds_the_largest_are_plotted():
    def plotted(rows):
        return plots.plot(pa.Table.from_pylist(rows, schema=tables.LINKS_RANKED))

    large = [
        row
        for number in range(6)
        for row in with_ranks([("W1", 1), ("W2", 2)], kind=f"kind {number}", is_same=None)
    ]
    small = [
        row
        for number in range(40)
        for row in with_ranks([("W1", 1)], kind=f"few {number}", is_same=None)
    ]
    assert plotted(small + large) == plotted(large)
    same = with_ranks([("W1", 1)], kind="a") + with_ranks([("W2", 4)], kind="b")
    alone, with_same, with_one = (plotted(rows) for rows in (large, large + same, large + same[:1]))
    assert alone == with_one != with_same


def test_dollars_in_the_name_of_a_kind_are_no_formula():
    rows = with_ranks([("W1", 1), ("W2", 2)], kind=r"US$ and \frac$", is_same=None)
    picture = plots.plot(pa.Table.from_pylist(rows, schema=tables.LINKS_RANKED))
    assert picture.startswith(b"\x89PNG")


@pytest.mark.slow
def test_words_of_abstracts_find_real_twins():
    """Known twins, whose titles were compared to find them: on 49 pairs .76 are among ten."""
    with duckdb.connect() as connection:
        for name in ("papers", "patents", "links"):
            connection.execute(f"create view {name} as from '{path_of(f'{name}.parquet')}'")
        one = [1.0] + [0.0] * (WIDTH - 1)
        for name, kind, year in (
            ("papers", "paper", "publication_year"),
            ("patents", "patent", "year"),
        ):
            connection.execute(f"""
                create table {name}_read as
                select
                    'title_abstract' as space, id as document_id,
                    '{kind}' as document_type,
                    substring(md5(id), 1, 1) as shard, {year} as year, any_value(abstract) as text,
                    {one}::float[{WIDTH}] as embedding
                from {name}
                where abstract is not null and {year} is not null
                group by id, {year}
                qualify row_number() over (partition by id order by {year}) = 1
            """)
        connection.execute("""
            create table pairs as
            select distinct
                paper_id, patent_id, 'twin' as kind, true as is_same, null::varchar as reason
            from links
            inner join papers_read as papers on links.paper_id = papers.document_id
            inner join patents_read as patents on links.patent_id = patents.document_id
            where links.kind in ('twin_strict', 'twin_likely') and patents.year >= papers.year
        """)
        published = pa.Table.from_pylist([], schema=PUBLISHED)
        found = linking_ranking.rank(
            connection.table("pairs"),
            connection.sql("from papers_read union all from patents_read"),
            connection.from_arrow(published),
            stop_words=["the", "of", "and", "to", "in", "is", "for", "with", "that", "an", "by"],
            spaces=["title_abstract"],
            published_space="title_abstract",
        )
    rows = measures.measure(found, baseline="title_abstract").to_pylist()
    (words,) = [row for row in rows if (row["kind"], row["method"]) == ("twin", "bm25")]
    assert words["pairs"] > 40
    assert words["hit_at_10"] > 0.6
    assert words["hit_at_1"] > 0.35
