"""Audit matching: compare a sample of papers with every patent."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from python_steps import tables
from python_steps.engine import relations
from python_steps.similarity.matching import match, stored_patents
from python_steps.similarity.patents import Patents

# Two similarities closer than this count as equal when an answer is audited.
AUDIT_TOLERANCE = 1e-6


def audit(
    papers: pa.Table,
    patents: Patents,
    matches: pa.Table,
    *,
    count: int,
    minimum_lag: int = 0,
    maximum_lag: int | None = None,
) -> pa.Table:
    """
    Compare what matching found with what comparing everything finds.

    Parameters
    ----------
    papers
        The sample: see :meth:`Matcher.step`.
    patents
        What the papers were matched to.
    matches
        Columns of :data:`tables.MATCHES`; rows of papers outside the sample are ignored.
    count, minimum_lag, maximum_lag
        What the papers were matched with: see :class:`Matcher`.

    Returns
    -------
    pa.Table
        Columns of :data:`tables.MATCH_AUDIT`, one row per paper of the sample that has an eligible
        patent, ordered by paper. A returned patent is a hit when it is eligible and as similar as
        the last one of the exact answer, less 1e-6: of equals either will do. A paper that was
        given nothing counts as given similarity 0.
    """
    lags = {"minimum_lag": minimum_lag, "maximum_lag": maximum_lag}
    truth = by_paper(match(papers, patents, count=count, method="exact", **lags))

    def in_time(lag: int) -> bool:
        return minimum_lag <= lag and (maximum_lag is None or lag <= maximum_lag)

    returned = by_paper(matches)
    rows = []
    for paper, exact in sorted(truth.items()):
        year, expected = exact[0][2], len(exact)
        found = [row for row in returned.get(paper, []) if in_time(row[3] - year)][:count]
        enough = exact[-1][1] - AUDIT_TOLERANCE
        hits = min(expected, sum(row[1] >= enough for row in found))
        best = found[0][1] if found else 0.0
        rows.append(
            {
                "paper_id": paper,
                "paper_year": year,
                "expected_k": expected,
                "returned_k": len(found),
                "hits_at_1": float(bool(found) and best >= exact[0][1] - AUDIT_TOLERANCE),
                "hits_at_k": hits / expected,
                "similarity_regret": exact[0][1] - best,
            }
        )
    return pa.Table.from_pylist(rows, schema=tables.MATCH_AUDIT)


def by_paper(matches: pa.Table) -> dict[str, list[tuple[str, float, int, int]]]:
    """Return (patent, similarity, paper year, patent year) of each paper, nearest first."""
    names = ["patent_id", "similarity", "paper_year", "patent_year"]
    ordered = matches.sort_by([("paper_id", "ascending"), ("rank", "ascending")])
    columns = [ordered.column(name).to_pylist() for name in ["paper_id", *names]]
    found: dict[str, list[tuple[str, float, int, int]]] = {}
    for paper, *row in zip(*columns, strict=True):
        found.setdefault(paper, []).append(tuple(row))
    return found


def audit_in_space(
    papers: relations.Relation,
    patents: relations.Relation,
    matches: relations.Relation,
    *,
    space: str,
    checkpoints: str | Path,
    **settings: object,
) -> pa.Table:
    """
    Audit the matches of a small relation of papers in one space, here.

    Parameters
    ----------
    papers, patents, space, checkpoints
        See :func:`match_in_space`.
    matches
        Columns of :data:`tables.MATCHES` and `space`, of these papers and others.
    **settings
        Further parameters of :func:`audit`.

    Returns
    -------
    pa.Table
        Columns of :data:`tables.MATCH_AUDIT` and `space`.
    """
    papers, patents, matches = (
        relation.filter(f"space = '{space}'") for relation in (papers, patents, matches)
    )
    columns = ["document_id", "year", "embedding", "model_version"]
    sample = relations.collect(papers, columns=columns, order=["document_id"])
    order = ["paper_id", "rank"]
    matches = relations.semi_join(matches, papers, on={"paper_id": "document_id"})
    found = relations.collect(matches, columns=tables.MATCHES.names, order=order)
    stored = stored_patents(patents, space=space, checkpoints=checkpoints)
    return tables.in_space(audit(sample, stored, found, **settings), space)
