"""Match the papers of a relation, on either engine."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import pyarrow as pa

from python_steps import tables
from python_steps.engine import relations, shards
from python_steps.engine.checkpoints import working_folder
from python_steps.similarity.indexes import CONNECTIVITY, EXPANSION_ADD
from python_steps.similarity.matcher import Matcher
from python_steps.similarity.method import chosen_method
from python_steps.similarity.patents import Patents, count_years, store_block, with_year, years_of

# Papers that one call is given, where the data do not part them otherwise.
PAPERS_IN_MEMORY = 65_536


def match(
    papers: pa.Table, patents: Patents, *, count: int, method: str = "auto", **settings: object
) -> pa.Table:
    """
    Match papers of any years at once.

    Parameters
    ----------
    papers
        See :meth:`Matcher.step`.
    patents
        What to match to.
    count
        Most patents to keep for one paper.
    method
        See :func:`chosen_method`.
    **settings
        Further parameters of :class:`Matcher`.

    Returns
    -------
    pa.Table
        Columns of :data:`tables.MATCHES`, papers of the last year first.
    """
    of_papers = count_years(years_of(with_year(papers)))
    of_patents = [count_years(block.years) for block in patents.blocks]
    counted = sum(of_patents, Counter())
    method = chosen_method(method, of_papers, counted, width=patents.width, **settings)
    return Matcher(patents, count, method, **settings).step(papers)


def match_in_space(
    papers: relations.Relation,
    patents: relations.Relation,
    *,
    space: str,
    description: str,
    checkpoints: str | Path,
    method: str = "auto",
    gpus_per_task: float = 0,
    **settings: object,
) -> relations.Result:
    """
    Match all papers of a relation in one space, on as many workers as there are.

    Parameters
    ----------
    papers
        Columns of :meth:`Matcher.step`, `space` (text) and `year_shard` (text).
    patents
        Columns of :func:`store_block`, `space` (text) and `block` (integer).
    space
        The `space` to match in.
    description
        What the progress bar calls the work.
    method
        See :func:`chosen_method`, which decides here for all workers.
    checkpoints, gpus_per_task
        See :func:`shards.map_shards` and :func:`checkpoints.working_folder`.
    **settings
        Further parameters of :class:`Matcher`.

    Returns
    -------
    pa.RecordBatchReader or pyspark.sql.DataFrame
        Columns of :data:`tables.MATCHES` and `space`.
    """
    papers, patents = (relation.filter(f"space = '{space}'") for relation in (papers, patents))
    counted = [relations.count_by(relation, "year") for relation in (papers, patents)]
    if not counted[0]:
        patents = patents.filter("1 = 0")  # none need be stored
    width = len(relations.any_value(patents, "embedding") or ())
    # One machine builds one index, which grows with the years: that takes longer than an index for
    # each block, and is searched in two thirds of the time. It cannot leave out what is too late.
    is_stored = relations.is_spark(patents) or settings.get("maximum_lag") is not None
    method = chosen_method(method, *counted, width=width, is_stored=is_stored, **settings)
    is_indexed = is_stored and method == "hnsw"
    stored = stored_patents(
        patents, space=space, checkpoints=checkpoints, is_indexed=is_indexed, **settings
    )
    matcher = Matcher(stored, method=method, **settings)
    # A pass over the patents costs the least for many papers at once; workers want shares of them,
    # and memory holds no more than these.
    most = max(counted[0].values(), default=0)
    key = "year_shard" if relations.is_spark(papers) or most > PAPERS_IN_MEMORY else "year"
    return shards.map_shards(
        papers,
        partial(_step_in_space, matcher=matcher, space=space),
        key=key,
        descending=True,
        schema=tables.MATCHES.append(tables.SPACE),
        description=f"{description} by {space}",
        version=matcher.version,
        checkpoints=checkpoints,
        gpus_per_task=gpus_per_task,
    )


def stored_patents(
    patents: relations.Relation,
    *,
    space: str,
    checkpoints: str | Path,
    is_indexed: bool = False,
    connectivity: int = CONNECTIVITY,
    expansion_add: int = EXPANSION_ADD,
    **_: object,
) -> Patents:
    """
    Store the patents of a space block by block, on as many workers as there are; return them all.

    With checkpoints, blocks that are stored already are only read. See :func:`match_in_space`.
    """
    step = partial(
        store_block,
        folder=working_folder(checkpoints),
        index=is_indexed,
        connectivity=connectivity,
        expansion_add=expansion_add,
    )
    blocks = shards.map_shards(
        patents,
        step,
        key="block",
        schema=tables.PATENT_BLOCKS,
        description=f"store patents by {space}",
        version=f"{is_indexed} {connectivity} {expansion_add}",
        checkpoints=checkpoints,
    )
    return Patents.from_blocks(relations.whole(blocks))


def _step_in_space(papers: pa.Table, *, matcher: Matcher, space: str) -> pa.Table:
    return tables.in_space(matcher.step(papers), space)
