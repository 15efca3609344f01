"""Check novelty against citations and awards within a field."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.novelty.evaluation.made_up import years_of
from python_steps.novelty.evaluation.options import (
    AWARDED,
    HIGHLY_CITED,
    PERCENTILE,
    SURPRISE,
    Options,
    Row,
    scored_only,
)
from python_steps.statistics.intervals import bootstrap, percentiles

WITHIN_SIZE = "surprise_within_size"
SMALLEST_GROUP = 20  # documents of a venue and year, so that a tenth is two
SHARE_HIGHLY_CITED = 0.1


def most_cited(citations: np.ndarray) -> np.ndarray:
    """
    Return how far each document of a venue and year belongs to its most cited tenth.

    Documents tied at the border share what is left of the tenth (Waltman & Schreiber 2013, Journal
    of the American Society for Information Science and Technology 64:372).

    Parameters
    ----------
    citations
        Numbers of shape [documents], at least one.

    Returns
    -------
    np.ndarray
        float64[documents], 0 to 1, of sum documents / 10; all alike where all are cited alike.
    """
    tenth = SHARE_HIGHLY_CITED * len(citations)
    border = np.sort(citations)[::-1][int(np.ceil(tenth)) - 1]
    above, at_border = citations > border, citations == border
    return above + at_border * (tenth - above.sum()) / at_border.sum()


def differences(
    values: np.ndarray, member: np.ndarray, draws: int, random: np.random.Generator
) -> np.ndarray:
    """
    Return how much higher members score than the others of a group, as it is and as it is drawn.

    A draw takes as many documents with replacement (bootstrap, Efron 1979); who is a member stays
    as it is. Costs draws * documents; 8 MB at a time.

    Parameters
    ----------
    values
        Scores: float64[scorers, documents].
    member
        How far each is a member, 0 to 1: float64[documents].
    draws
        How many draws.
    random
        Source of chance.

    Returns
    -------
    np.ndarray
        float64[scorers, 1 + draws] of differences of means, the group as it is first; nan where a
        draw has no member, or no other.
    """
    sides = np.stack([member, 1 - member])
    columns = np.concatenate([sides, *(side * values for side in sides)]).T
    measured = columns.sum(axis=0)[None, :]
    drawn = bootstrap(columns, draws, random)
    inside, outside, *of_scorers = np.concatenate([measured, drawn]).T
    of_inside, of_outside = np.split(np.stack(of_scorers), 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return of_inside / inside - of_outside / outside


@dataclass
class _Mean:
    """The mean of differences over groups, each weighted by its documents."""

    documents: int = 0
    members: float = 0.0
    summed: np.ndarray | float = 0.0
    weight: np.ndarray | float = 0.0

    def add(self, member: np.ndarray, found: np.ndarray) -> None:
        self.documents += len(member)
        self.members += float(member.sum())
        self.summed = self.summed + np.nan_to_num(found) * len(member)
        self.weight = self.weight + ~np.isnan(found) * float(len(member))

    def rows(self, measure: str, venue: str | None, scorers: Sequence[str]) -> Iterator[Row]:
        with np.errstate(invalid="ignore"):
            means = self.summed / self.weight
        for scorer, (value, *drawn) in zip(scorers, means, strict=True):
            low, high = percentiles(np.array(drawn))
            yield {
                "measure": measure,
                "group": venue,
                "scorer": scorer,
                "documents": round(self.members),
                "others": self.documents - round(self.members),
                "value": float(value),
                "low": None if np.isnan(low) else low,
                "high": None if np.isnan(high) else high,
            }


def check_fields(
    scores: pa.Table, papers: pa.Table, corpus: str, options: Options
) -> Iterator[Row]:
    """Yield by how much the most cited, and the awarded, differ from others of venue and year."""
    scored = scored_only(scores)
    scored = scored.append_column(WITHIN_SIZE, pa.array(_within_size(scored)))
    names = papers.column("document_id").combine_chunks()
    places = pc.index_in(scored.column("document_id"), names)
    for name in ("venue", "cited_by_count", "is_awarded"):
        scored = scored.append_column(name, papers.column(name).take(places))
    scored = scored.filter(pc.is_valid(scored.column("venue")))
    by = [(name, "ascending") for name in ("venue", "year", "hyperedge_id")]
    of_venues = scored.take(pc.sort_indices(scored, by))
    cited = of_venues.filter(pc.is_valid(of_venues.column("cited_by_count")))
    citations = cited.column("cited_by_count").to_numpy().astype(np.float64)
    yield from _contrasts(HIGHLY_CITED, cited, citations, most_cited, corpus, options)
    awarded = pc.fill_null(of_venues.column("is_awarded"), pa.scalar(value=False))
    awarded = awarded.cast(pa.float64()).to_numpy()
    yield from _contrasts(AWARDED, of_venues, awarded, np.asarray, corpus, options)


def _contrasts(
    measure: str,
    facts: pa.Table,
    merits: np.ndarray,
    membership: Callable[[np.ndarray], np.ndarray],
    corpus: str,
    options: Options,
) -> Iterator[Row]:
    """Yield the rows of one field check, all venues together and then each; facts are in order."""
    scorers = (PERCENTILE, WITHIN_SIZE)
    values = np.stack([facts.column(name).to_numpy() for name in scorers])
    overall, of_venues = _Mean(), []
    for venue, groups in itertools.groupby(_groups(facts), key=lambda group: group[0]):
        mean = _Mean()
        for _, year, here in groups:
            member = membership(merits[here])
            # Where all are alike, nothing sets members apart.
            if len(member) < SMALLEST_GROUP or np.ptp(member) == 0:
                continue
            random = options.random(corpus, measure, venue, year)
            found = differences(values[:, here], member, options.draws, random)
            mean.add(member, found)
            overall.add(member, found)
        if mean.documents:
            of_venues += mean.rows(measure, venue, scorers)
    if overall.documents:
        yield from overall.rows(measure, None, scorers)
        yield from of_venues


def _groups(facts: pa.Table) -> Iterator[tuple[str, int, slice]]:
    """Yield venue, year and rows of each group of a table in the order of venue and year."""
    venues = facts.column("venue").combine_chunks().dictionary_encode()
    codes, years = venues.indices.to_numpy(), years_of(facts)
    is_first = np.append(True, (codes[1:] != codes[:-1]) | (years[1:] != years[:-1]))
    starts = np.flatnonzero(is_first) if len(codes) else []
    for start, end in itertools.pairwise([*starts, len(codes)]):
        yield venues.dictionary[codes[start]].as_py(), int(years[start]), slice(start, end)


def _within_size(scored: pa.Table) -> np.ndarray:
    """Return surprise less the mean of the year's documents of as many known keywords, nats."""
    surprise = scored.column(SURPRISE).to_numpy()
    keys = years_of(scored) * 1000 + scored.column("known_nodes").to_numpy()
    _, members, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return surprise - (np.bincount(members, surprise, len(counts)) / counts)[members]
