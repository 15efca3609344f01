"""
Judge by known pairs whether a paper's right patent is found, and by which way of comparing.

Patents are ranked by the cosine of vectors, by the words they share with the paper (BM25), and by
both together; and, which is what millions of papers can afford, only the nearest by vectors are put
into another order. All of these rank the same patents: all that the paper may be matched to. One
shard of them is read at a time and only the highest are kept, so that memory hangs on the known
pairs, not on the patents. The order that a build publishes is judged beside them.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import tables
from python_steps.embeddings import encoder
from python_steps.engine import relations
from python_steps.engine.shards import map_shards
from python_steps.linking.candidates import (
    CANDIDATES,
    Papers,
    find_candidates,
    gathered,
    ranks_of,
)
from python_steps.linking.words import BM25, COUNTS, Bm25, Words, count_words

# The order of the pairs that a build publishes.
PUBLISHED = "published"
# Why a pair is not judged that could be.
NOT_DRAWN = "not_drawn"


# Patents that each way of comparing finds for a pair, other right ones left out. What lies below
# counts as not found, which takes at most a two-hundredth off a mean reciprocal rank.
DEPTH = 200


# Nearest patents by vectors that are put into another order.
RERANKED = (10, 50, 100)


# How slowly a rank loses its weight in a fusion (k of Cormack et al. 2009).
FUSION = 60


def rank(
    links: relations.Relation,
    documents: relations.Relation,
    published: relations.Relation,
    *,
    stop_words: Sequence[str],
    spaces: Sequence[str],
    published_space: str,
    minimum_lag: int = 0,
    maximum_lag: int | None = None,
    depth: int = DEPTH,
) -> pa.Table:
    """
    Rank the patent of each known pair among those that its paper may be matched to.

    Reads all patents once for the words and once in each space, a shard at a time; nothing without
    known pairs. For 1,000 pairs it takes .15 ms of processor time a patent, two thirds of it to
    read the words, and 15 s besides: five minutes for two million. Memory is that of a shard twice,
    some 300 MB for the scores, and 50 bytes for each candidate of a paper: up to 2 * `depth`, and
    two more for each patent that it is known to belong to.

    Parameters
    ----------
    links
        Known pairs, each once: `paper_id`, `patent_id`, `kind` (text), `is_same` (true, false or
        null) and `reason` (text): null where the pair is to be ranked, :data:`NOT_DRAWN` where it
        only says what else is right, another where it cannot be judged. The documents of the first
        two must be among the others, and the years fit.
    documents
        `space`, `document_id`, `document_type`, `text`, `shard` (text), `year` (integer)
        and `embedding` (float32[width], of length one), a row for each space. Of papers, only those
        of known pairs are read.
    published
        `space`, `paper_id`, `patent_id` (text) and `rank` (integer): the patents listed
        for each paper, in the order in which they are published.
    stop_words
        Words that say nothing.
    spaces
        Each `space`; words are compared among the patents of the first.
    published_space
        The `space` whose order of `published` is judged.
    minimum_lag, maximum_lag
        Fewest and most years by which a patent may be later than its paper; None: any.
    depth
        See :data:`DEPTH`.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.LINKS_RANKED`, one for each pair to be ranked and way of comparing.
        Other patents that the paper is known to belong to, or may, are taken out first: another
        right answer is no mistake. Those of a kind that is not the same stay. Equals go by patent
        id, in fused rankings by the first ranking that is fused. The name of a fusion has the
        rankings in the order of `spaces`, then the words. For :data:`PUBLISHED`, a patent that
        `published` does not list for the paper counts as not found: a reader does not see it.
    """
    known = _known_pairs(links)
    if not known.num_rows:
        return tables.LINKS_RANKED.empty_table()
    judged = links.filter("reason is null")
    papers = relations.semi_join(
        documents.filter("document_type = 'paper'"), judged, on={"document_id": "paper_id"}
    )
    patents = documents.filter("document_type = 'patent'")
    right = _right_patents(known)
    asked = {
        space: relations.collect(
            papers.filter(f"space = '{space}'"),
            columns=["document_id", "year", "text", "embedding"],
            order=["document_id"],
        )
        for space in spaces
    }
    words = Words.of(asked[spaces[0]].column("text").to_pylist(), stop_words)
    bm25, years = _weighed(patents.filter(f"space = '{spaces[0]}'"), words)
    found: dict[str, _Lists] = {}
    for space, table in asked.items():
        others = [right[paper] for paper in table.column("document_id").to_pylist()]
        depths = depth + np.array(others, np.int64)
        queries = _papers(table, bm25, depths, minimum_lag, maximum_lag)
        shards = map_shards(
            patents.filter(f"space = '{space}'").select(
                "document_id", "shard", "year", "text", "embedding"
            ),
            partial(find_candidates, papers=queries, bm25=bm25),
            key="shard",
            schema=CANDIDATES,
            description=f"look for linked patents by {space}",
        )
        found[space] = _Lists.of(gathered(shards, depths), queries)
    of_space = published.filter(f"space = '{published_space}'")
    listed = _listed(relations.semi_join(of_space, judged, on={"paper_id": "paper_id"}))
    return _ranked(known, found, listed, years, depth)


def _known_pairs(links: relations.Relation) -> pa.Table:
    """Return the known pairs of papers with a pair to rank."""
    known = relations.collect(
        links.filter(f"reason is null or reason = '{NOT_DRAWN}'"),
        columns=["paper_id", "patent_id", "kind", "is_same", "reason"],
        order=["paper_id", "patent_id"],
    )
    asked_for = known.filter(pc.is_null(known.column("reason"))).column("paper_id")
    return known.filter(pc.is_in(known.column("paper_id"), asked_for.combine_chunks()))


def _right_patents(known: pa.Table) -> Counter[str]:
    """Return how many patents each paper is known to belong to, or may."""
    is_right = pc.fill_null(known.column("is_same"), True)
    return Counter(known.filter(is_right).column("paper_id").to_pylist())


def _papers(
    table: pa.Table, bm25: Bm25, depths: np.ndarray, minimum_lag: int, maximum_lag: int | None
) -> Papers:
    """Return the papers of one space, with columns as they are collected."""
    first = table.column("year").to_numpy().astype(np.int64) + minimum_lag
    most = np.inf if maximum_lag is None else maximum_lag - minimum_lag
    return Papers(
        ids=tuple(table.column("document_id").to_pylist()),
        first_years=first,
        last_years=first + most,
        vectors=encoder.unit_vectors(table),
        counts=bm25.words.count(table.column("text").to_pylist())[0],
        depths=depths,
    )


def _listed(published: relations.Relation) -> dict[str, list[str]]:
    """Return the patents of each paper in the order that is published."""
    rows = relations.collect(
        published, columns=["paper_id", "patent_id"], order=["paper_id", "rank"]
    ).to_pylist()
    by_paper = itertools.groupby(rows, key=lambda row: row["paper_id"])
    return {paper: [row["patent_id"] for row in found] for paper, found in by_paper}


def _weighed(patents: relations.Relation, words: Words) -> tuple[Bm25, Mapping[int, int]]:
    """Return what words weigh, and the number of patents of each year."""
    counted = relations.whole(
        map_shards(
            patents.select("document_id", "shard", "year", "text"),
            partial(count_words, words=words),
            key="shard",
            schema=COUNTS,
            description="count words of patents",
        )
    )
    totals: dict[str, Counter[str]] = {what: Counter() for what in ("word", "year", "length")}
    for row in counted.to_pylist():
        totals[row["what"]][row["name"]] += row["number"]
    years = {int(year): number for year, number in totals["year"].items()}
    holding = np.array([totals["word"][word] for word in words.places], np.int64)
    bm25 = Bm25.of(words, sum(years.values()), holding, totals["length"].total())
    return bm25, years


@dataclass(frozen=True)
class _Lists:
    """
    What was found for each paper in one space.

    Attributes
    ----------
    near, sharing
        Patents by falling similarity, and by falling BM25.
    bm25
        BM25 of each patent of either list.
    first_years, last_years
        Years of the patents that a paper may be matched to.
    """

    near: Mapping[str, list[str]]
    sharing: Mapping[str, list[str]]
    bm25: Mapping[str, Mapping[str, float]]
    first_years: Mapping[str, float]
    last_years: Mapping[str, float]

    @classmethod
    def of(cls, candidates: pa.Table, papers: Papers) -> _Lists:
        near: dict[str, list[str]] = {paper: [] for paper in papers.ids}
        sharing: dict[str, list[str]] = {paper: [] for paper in papers.ids}
        bm25: dict[str, dict[str, float]] = {paper: {} for paper in papers.ids}
        depths = papers.depths[candidates.column("paper").to_numpy()]
        for score, lists in (("similarity", near), (BM25, sharing)):
            ranks = ranks_of(candidates, score)
            ranked = candidates.append_column("rank", pa.array(ranks))
            ranked = ranked.filter(pa.array(ranks <= depths))
            if score == BM25:
                ranked = ranked.filter(pc.greater(ranked.column(BM25), 0))
            ranked = ranked.sort_by([("paper", "ascending"), ("rank", "ascending")])
            names = ("paper", "patent_id", BM25)
            for place, patent, value in zip(
                *(ranked.column(name).to_pylist() for name in names), strict=True
            ):
                lists[papers.ids[place]].append(patent)
                bm25[papers.ids[place]][patent] = value
        first, last = (
            dict(zip(papers.ids, years.tolist(), strict=True))
            for years in (papers.first_years, papers.last_years)
        )
        return cls(near, sharing, bm25, first, last)


def _ranked(
    known: pa.Table,
    found: Mapping[str, _Lists],
    listed: Mapping[str, list[str]],
    years: Mapping[int, int],
    depth: int,
) -> pa.Table:
    """Return the rows of :func:`rank`."""
    rows = []
    a_space = next(iter(found.values()))
    by_paper = itertools.groupby(known.to_pylist(), key=lambda row: row["paper_id"])
    for paper, pairs in by_paper:
        pairs = list(pairs)
        first, last = a_space.first_years[paper], a_space.last_years[paper]
        eligible = sum(number for year, number in years.items() if first <= year <= last)
        right = {pair["patent_id"] for pair in pairs if pair["is_same"] is not False}
        for pair in pairs:
            if pair["reason"] is not None:
                continue
            others = right - {pair["patent_id"]}
            ways = [
                *_orders(paper, found, others, depth),
                (PUBLISHED, None, _without(others, listed.get(paper, []))[:depth]),
            ]
            for method, reranked, order in ways:
                patent = pair["patent_id"]
                rows.append(
                    pair
                    | {
                        "method": method,
                        "reranked_candidates": reranked,
                        "rank": order.index(patent) + 1 if patent in order else None,
                        "eligible_patents": eligible - len(others),
                    }
                )
    return pa.Table.from_pylist(rows, schema=tables.LINKS_RANKED)


def _orders(
    paper: str, found: Mapping[str, _Lists], others: set[str], depth: int
) -> Iterator[tuple[str, int | None, list[str]]]:
    """Yield each way of comparing, how many it puts into another order, and what it finds."""
    near = {space: _without(others, lists.near[paper])[:depth] for space, lists in found.items()}
    sharing = _without(others, next(iter(found.values())).sharing[paper])[:depth]
    single = near | {BM25: sharing}
    for count in range(1, len(single) + 1):
        for names in itertools.combinations(single, count):
            yield "+".join(names), None, fused([single[name] for name in names])[:depth]
    for space, lists in found.items():
        bm25 = lists.bm25[paper]
        for count in RERANKED:
            top = near[space][:count]
            by_words = sorted(top, key=lambda patent: -bm25[patent])
            yield f"{space}+{BM25}", count, fused([top, by_words]) + near[space][count:]


def _without(others: set[str], patents: Sequence[str]) -> list[str]:
    return [patent for patent in patents if patent not in others]


def fused(rankings: Sequence[Sequence[str]]) -> list[str]:
    """
    Fuse rankings by the sum of 1 / (60 + rank): reciprocal rank fusion (Cormack et al. 2009).

    What a ranking does not hold gets nothing from it. Equals go by the first ranking, then by name.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for place, name in enumerate(ranking, start=1):
            scores[name] = scores.get(name, 0.0) + 1 / (FUSION + place)
    first = {name: place for place, name in enumerate(rankings[0])}
    return sorted(scores, key=lambda name: (-scores[name], first.get(name, len(first)), name))
