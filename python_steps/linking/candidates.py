"""Candidates for the patent of a known pair: the highest of a shard by vectors and by words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.embeddings import encoder
from python_steps.engine import relations
from python_steps.linking.words import BM25, Bm25
from python_steps.similarity import indexes, matcher

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


SCORES_AT_ONCE = 8_000_000  # about 200 MB with what picking the highest takes
CANDIDATES_AT_ONCE = 2_000_000  # rows held before the lower ones are dropped; 100 MB


# A patent that is among the highest of a paper by vectors or by words.
CANDIDATES = pa.schema(
    [
        ("paper", pa.int32()),  # its place among the papers
        ("patent_id", pa.string()),
        ("similarity", pa.float32()),
        ("bm25", pa.float32()),
    ]
)


@dataclass(frozen=True)
class Papers:
    """
    The papers of known pairs, in one space.

    Attributes
    ----------
    ids
        Distinct.
    first_years, last_years
        Years of the patents that each may be matched to: int64[papers].
    vectors
        Of length one: float32[papers, width].
    counts
        How often each word stands in each paper: float64[papers, words].
    depths
        Most patents of each by each way, those that are taken out among them: int64[papers].
    """

    ids: tuple[str, ...]
    first_years: np.ndarray
    last_years: np.ndarray
    vectors: np.ndarray
    counts: csr_matrix
    depths: np.ndarray


def find_candidates(patents: pa.Table, *, papers: Papers, bm25: Bm25) -> pa.Table:
    """
    Find the patents of a shard that are highest for each paper, by vectors and by words.

    Costs a product of two matrices for the vectors, for the words one of two sparse ones, and
    reading the texts, about 50 microseconds each; memory is some 300 MB beside the shard.

    Parameters
    ----------
    patents
        Columns `document_id`, `text` (text), `year` (integer) and `embedding` (float32[width]).
    papers, bm25
        What they are compared with.

    Returns
    -------
    pa.Table
        Rows of :data:`CANDIDATES`: both scores of the highest of each paper by either, as many as
        its depth says.
        Equals go by id. Patents without a common word are not found by words.
    """
    vectors = encoder.unit_vectors(patents)
    held = bm25.held(patents.column("text").to_pylist())
    years = patents.column("year").to_numpy().astype(np.int64)
    ids = patents.column("document_id").combine_chunks()
    by_id = pc.rank(ids).to_numpy().astype(np.int64)
    at_once = max(1, SCORES_AT_ONCE // max(len(years), 1))
    found = [CANDIDATES.empty_table()]
    for start in range(0, len(papers.ids), at_once):
        block = slice(start, start + at_once)
        allowed = (years >= papers.first_years[block, None]) & (
            years <= papers.last_years[block, None]
        )
        nearness = np.where(allowed, papers.vectors[block] @ vectors.T, -np.inf)
        sharing = np.where(allowed, (papers.counts[block] @ held.T).toarray(), 0.0)
        for row, depth in enumerate(papers.depths[block]):
            chosen = np.union1d(
                # A product in float32 may be off in its last places: what is kept is taken from
                # more than is wanted.
                _highest(nearness[row], by_id, depth + indexes.EXTRA_CANDIDATES, -np.inf),
                _highest(sharing[row], by_id, depth, 0.0),
            )
            query = np.broadcast_to(papers.vectors[start + row], (len(chosen), vectors.shape[1]))
            found.append(
                pa.table(
                    [
                        pa.repeat(pa.scalar(start + row, pa.int32()), len(chosen)),
                        ids.take(pa.array(chosen)).cast(pa.string()),
                        matcher.pair_similarities(query, vectors[chosen]),
                        sharing[row, chosen].astype(np.float32),
                    ],
                    schema=CANDIDATES,
                )
            )
    return _kept(pa.concat_tables(found), papers.depths)


def _highest(scores: np.ndarray, by_id: np.ndarray, most: int, above: float) -> np.ndarray:
    """Return the places of the highest scores, of equals those of the first ids."""
    places = np.flatnonzero(scores > above)
    if len(places) > most:
        least = np.partition(scores[places], len(places) - most)[len(places) - most]
        places = places[scores[places] >= least]
        places = places[np.lexsort([by_id[places], -scores[places]])[:most]]
    return places


def _kept(candidates: pa.Table, depths: np.ndarray) -> pa.Table:
    """Return the rows that are among the highest of their paper, by vectors or by words."""
    depth = depths[candidates.column("paper").to_numpy()]
    near = ranks_of(candidates, "similarity") <= depth
    share = ranks_of(candidates, BM25) <= depth
    share &= candidates.column(BM25).to_numpy() > 0
    return candidates.filter(pa.array(near | share))


def ranks_of(candidates: pa.Table, score: str) -> np.ndarray:
    """Return the rank of each row within its paper by a score, from 1; equals go by id."""
    by = [("paper", "ascending"), (score, "descending"), ("patent_id", "ascending")]
    order = pc.sort_indices(candidates, sort_keys=by).to_numpy()
    papers = candidates.column("paper").to_numpy()[order]
    begins = np.searchsorted(papers, papers)
    ranks = np.empty(len(papers), np.int64)
    ranks[order] = np.arange(len(papers)) - begins + 1
    return ranks


def gathered(shards: relations.Result, depths: np.ndarray) -> pa.Table:
    """Return the highest of all shards' candidates, dropping the lower ones on the way."""
    held, rows, most = [CANDIDATES.empty_table()], 0, CANDIDATES_AT_ONCE
    for batch in relations.batches(shards):
        held.append(pa.Table.from_batches([batch]).cast(CANDIDATES))
        rows += batch.num_rows
        if rows > most:
            held = [_kept(pa.concat_tables(held), depths)]
            rows = held[0].num_rows
            most = rows + CANDIDATES_AT_ONCE
    return _kept(pa.concat_tables(held), depths)
