"""Score the hyperedges of a relation, with states kept so that a refresh resumes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from python_steps import tables
from python_steps.engine.progress import with_progress
from python_steps.novelty.block_model import novelty
from python_steps.novelty.settings import Settings, version
from python_steps.novelty.years import walk

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
    rows = table.num_rows
    node_counts, known, state_years = (np.zeros(rows, np.int32) for _ in range(3))
    surprise = np.full(rows, np.nan)
    burning = np.ones(rows, bool)
    seen = np.zeros(0, bool)
    steps = with_progress(
        walk(table, settings, states, corpus),
        total=rows,
        size=lambda step: len(step.rows),
        description=f"score novelty of {corpus}",
        unit="documents",
        note=lambda step: f"{step.year} is done",
    )
    for step in steps:
        edges, here = step.hyperedges, step.rows
        most = int(edges.nodes.max(initial=-1)) + 1
        seen = np.concatenate([seen, np.zeros(max(0, most - len(seen)), bool)])
        node_counts[here] = edges.sizes
        known[here] = edges.where(seen[edges.nodes]).sizes
        seen[edges.nodes] = True
        if step.model is not None:
            burning[here] = False
            state_years[here] = step.model.year
            surprise[here] = step.model.surprise(edges)
    is_scored = ~np.isnan(surprise)
    reasons = np.select(
        [burning, node_counts < 2, known < 2],
        [BURN_IN, FEWER_THAN_TWO_NODES, FEWER_THAN_TWO_KNOWN_NODES],
        "",
    )
    columns = {
        "hyperedge_id": table.column("hyperedge_id"),
        "document_id": table.column("document_id"),
        "corpus": table.column("corpus"),
        "year": table.column("year"),
        "node_count": node_counts,
        "known_nodes": known,
        "surprise": pa.array(surprise, mask=~is_scored),
        "novelty": pa.array(novelty(surprise, known), mask=~is_scored),
        "reason": pa.array(reasons, mask=is_scored),
        "state_year": pa.array(state_years, mask=burning),
        "model_version": pa.repeat(version(settings), rows),
    }
    return pa.table(columns).cast(tables.NOVELTY)
