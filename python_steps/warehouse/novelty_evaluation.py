"""Read hyperedges and novelty scores from a warehouse and evaluate them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import pyarrow as pa

from python_steps.novelty.evaluation import evaluate
from python_steps.novelty.evaluation.evaluate import Report
from python_steps.novelty.evaluation.options import EVALUATION, Options
from python_steps.novelty.settings import Settings
from python_steps.warehouse.opening import opened
from python_steps.warehouse.places import Tables

HYPEREDGES = ("marts", "hyperedges")
PAPERS = ("marts", "papers")


# Words among a paper's categories or in its type by which venues name what they honoured.
AWARDS = "(?i)\\b(award|best (student )?paper|outstanding paper|distinguished paper)"


def settings_of(variables: Mapping[str, Any]) -> Settings:
    """
    Return the settings that a build with variables of dbt_project.yml scores with.

    Raises
    ------
    ValueError
        When one is no number or out of range.
    """
    named = {
        field.name: variables[f"novelty_{field.name}"]
        for field in fields(Settings)
        if f"novelty_{field.name}" in variables
    }
    if named["communities"] == "auto":
        named["communities"] = None
    for name, value in named.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            message = f"novelty_{name} must be a number, not {value!r}"
            raise ValueError(message)
    return Settings(**named)


def measure(
    tables: Tables,
    corpora: Sequence[str],
    settings: Settings,
    options: Options,
    report: Report,
) -> pa.Table:
    """
    Evaluate the scores of corpora in a warehouse, one after another.

    Returns
    -------
    pa.Table
        Rows of :data:`python_steps.novelty.evaluation.options.EVALUATION`.

    Raises
    ------
    InputError
        When the warehouse cannot be read or was built without novelty.
    """
    measured = [EVALUATION.empty_table()]
    with opened(tables, [HYPEREDGES, PAPERS]) as connection:
        for corpus in corpora:
            hyperedges, scores, papers = (
                connection.sql(query, params=params).to_arrow_table()
                for query, params in _queries(corpus)
            )
            measured.append(
                evaluate.evaluate(
                    hyperedges, scores, papers, settings=settings, options=options, report=report
                )
            )
    return pa.concat_tables(measured)


def _queries(corpus: str) -> Iterator[tuple[str, list[str]]]:
    """Yield what reads the hyperedges of a corpus, their scores, and the facts of papers."""
    yield (
        "select corpus, hyperedge_id, novelty_year as year, nodes, weight "
        f"from {'.'.join(HYPEREDGES)} where corpus = ? order by hyperedge_id",
        [corpus],
    )
    yield (
        "select hyperedge_id, document_id, novelty_year as year, known_nodes, surprise, novelty, "
        f"novelty_percentile, reason from {'.'.join(HYPEREDGES)} where corpus = ? "
        "order by hyperedge_id",
        [corpus],
    )
    yield (
        "select document_id, venue, cited_by_count, "
        "len(list_filter(coalesce(categories, []), lambda each: regexp_matches(each, $1))) > 0 "
        f"or coalesce(regexp_matches(work_type, $1), false) as is_awarded from {'.'.join(PAPERS)} "
        "where starts_with($2, 'paper_') order by document_id",
        [AWARDS, corpus],
    )
