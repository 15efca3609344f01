"""Score the hyperedges of a relation, with states kept so that a refresh resumes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from python_steps import tables
from python_steps.engine.progress import with_progress
from python_steps.novelty.block_model import novelty
from python_steps.novelty.settings import Settings, version
from python_steps.novelty.years import Step, walk

BURN_IN = "burn_in"
FEWER_THAN_TWO_NODES = "fewer_than_two_nodes"
FEWER_THAN_TWO_KNOWN_NODES = "fewer_than_two_known_nodes"


def score(table: pa.Table, *, settings: Settings, states: Path | None = None) -> pa.Table:
    """
    Score the documents of one corpus, each by what was known before its year.

    Parameters
    ----------
    table
        All rows of a corpus in any order: columns `hyperedge_id`, `document_id`, `corpus` (text),
        `year` (integer), `nodes` (list of integers) and `weight` (number above zero, 1 / documents
        of the family). Node ids go from 0 in the order in which nodes are first met, so that later
        years change no id.
    settings
        What decides the scores.
    states
        Folder that keeps what was learned of each year, see :func:`walk`; None: nothing is kept.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.NOVELTY`, one for each row of the table, in its order.

    Raises
    ------
    ValueError
        When rows are of more than one corpus, a value is missing, or a hyperedge comes twice in a
        year.
    """
    corpora = table.column("corpus").unique().to_pylist()
    if len(corpora) > 1:
        message = f"rows of more than one corpus: {', '.join(map(str, corpora))}"
        raise ValueError(message)
    corpus = corpora[0] if corpora else ""
    found = _Scores.of_steps(walk(table, settings, states, corpus), table.num_rows, corpus)
    is_scored = ~np.isnan(found.surprise)
    reasons = np.select(
        [found.is_burning, found.node_counts < 2, found.known < 2],
        [BURN_IN, FEWER_THAN_TWO_NODES, FEWER_THAN_TWO_KNOWN_NODES],
        "",
    )
    scores = novelty(found.surprise, found.known)
    columns = {
        **{name: table.column(name) for name in ("hyperedge_id", "document_id", "corpus", "year")},
        "node_count": found.node_counts,
        "known_nodes": found.known,
        "surprise": pa.array(found.surprise, mask=~is_scored),
        "novelty": pa.array(scores, mask=~is_scored),
        "reason": pa.array(reasons, mask=is_scored),
        "state_year": pa.array(found.state_years, mask=found.is_burning),
        "model_version": pa.repeat(version(settings), table.num_rows),
    }
    return pa.table(columns).cast(tables.NOVELTY)


@dataclass(frozen=True)
class _Scores:
    """
    What the years say of each row of a table.

    Attributes
    ----------
    node_counts, known
        Nodes of each, and those seen before its year: int32[rows].
    state_years
        The last year that its score knows of: int32[rows].
    surprise
        float64[rows], nats; nan without a score.
    is_burning
        Whether its year is in the burn-in: bool[rows].
    """

    node_counts: np.ndarray
    known: np.ndarray
    state_years: np.ndarray
    surprise: np.ndarray
    is_burning: np.ndarray

    @classmethod
    def of_steps(cls, steps: Iterator[Step], rows: int, corpus: str) -> _Scores:
        """Collect the scores of all years, with a progress bar."""
        node_counts, known, state_years = (np.zeros(rows, np.int32) for _ in range(3))
        found = cls(node_counts, known, state_years, np.full(rows, np.nan), np.ones(rows, bool))
        seen = np.zeros(0, bool)
        shown = with_progress(
            steps,
            total=rows,
            size=lambda step: len(step.rows),
            description=f"score novelty of {corpus}",
            unit="documents",
            note=lambda step: f"{step.year} is done",
        )
        for step in shown:
            edges, here = step.hyperedges, step.rows
            most = int(edges.nodes.max(initial=-1)) + 1
            seen = np.concatenate([seen, np.zeros(max(0, most - len(seen)), bool)])
            found.node_counts[here] = edges.sizes
            found.known[here] = edges.where(seen[edges.nodes]).sizes
            seen[edges.nodes] = True
            if step.model is not None:
                found.is_burning[here] = False
                found.state_years[here] = step.model.year
                found.surprise[here] = step.model.surprise(edges)
        return found
