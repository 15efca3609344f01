"""
Measure novelty scores: whether they separate real documents from made-up ones.

A real document of a year should surprise less, given the years before, than one of as many keywords
put together by chance. That is the link prediction of Shi & Evans 2023 (Nature Communications
14:1641) with two of its traps closed: made-up documents hold each keyword as often as the real ones
do, so that popularity gives nothing away; and only documents of one size are compared, since
surprise is not comparable between sizes. Beside the block model stands the mean pointwise mutual
information (PMI) of pairs, the simplest rival.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.novelty.block_model import BlockModel
from python_steps.novelty.evaluation.areas import Areas, areas_within_size, together
from python_steps.novelty.evaluation.field_checks import check_fields
from python_steps.novelty.evaluation.made_up import (
    Trial,
    made_up,
    node_count_of,
    shuffled,
    years_of,
)
from python_steps.novelty.evaluation.mean_pmi import mean_pmi
from python_steps.novelty.evaluation.options import (
    BLOCK,
    BY_SIZE,
    DEGREE_MATCHED,
    EVALUATION,
    LEAD,
    NOVELTY,
    PERCENTILE,
    PMI,
    REAL,
    REPEATED,
    REPRODUCED,
    SCORED,
    SHUFFLED,
    SIZE_CORRELATION,
    SURPRISE,
    WAYS,
    Options,
    Row,
    no_report,
    scored_only,
)
from python_steps.novelty.hyperedges import Hyperedges
from python_steps.novelty.settings import Settings
from python_steps.novelty.years import Step, walk
from python_steps.statistics.intervals import DEVIATIONS

LAST_YEARS = 2  # left out, to see that earlier scores do not know of them

SIZES = ((2, 2), (3, 3), (4, 4), (5, 5), (6, 7), (8, 10), (11, 15), (16, None))


# Called with what is being done, the years done, and all years.
Report = Callable[[str, int, int], None]


def evaluate(
    hyperedges: pa.Table,
    scores: pa.Table,
    papers: pa.Table,
    *,
    settings: Settings,
    options: Options | None = None,
    report: Report = no_report,
) -> pa.Table:
    """
    Measure the scores of one corpus.

    The model is learned three times, year by year: as it was, without the last two years, and on
    shuffled keywords. Beside that, the cost is that of the drawn documents of each year, five times
    over, and of a look-up for each pair of keywords in a document; all of it together some 24 s of
    processor time for 160,000 documents. Memory is that of the table, the model, and the pairs of
    the drawn documents, 24 bytes each: 160 MB there.

    Parameters
    ----------
    hyperedges
        All rows of the corpus, in any order: `corpus`, `hyperedge_id` (text), `year` (integer),
        `nodes` (list of integers) and `weight` (number above zero).
    scores
        What was made of them, a row for each: `hyperedge_id`, `document_id`, `reason` (text),
        `year`, `known_nodes` (integers), `surprise` (nats), `novelty` and `novelty_percentile`
        (0 to 1).
    papers
        Facts of documents: `document_id`, `venue` (text), `cited_by_count` (integer) and
        `is_awarded` (true or false); no row where nothing is known.
    settings
        Those that the scores were made with.
    options
        How to evaluate.
    report
        Called as the work goes on.

    Returns
    -------
    pa.Table
        Rows of :data:`EVALUATION`; none for a corpus without documents. `measure` is one of:

        `degree_matched`, `one_replaced`, `uniform`, `planted`
            AUC: how often a real document surprises less than one made up so, see :func:`made_up`,
            of its size. By year and together, of the block model, of the mean PMI, and the lead of
            the first. Both see only keywords that are known. Intervals after DeLong et al. (1988).
        `shuffled`
            The first of these where all keywords were shuffled within their year before the model
            learned them. There is nothing to learn: a sound test gives .5.
        `share_scored`
            Share of documents with a score, and without one by reason.
        `size_correlation`
            Spearman's correlation of scores with the number of known keywords; interval after
            Bonett & Wright (2000).
        `novelty_by_size`
            Mean novelty by number of known keywords.
        `reproduced`, `without_last_years`
            Share of scores that have the same bits when the model is learned again: those of the
            warehouse; those of earlier years when the last two years are left out.
        `highly_cited`, `awarded`
            How much higher the most cited tenth, or the awarded, score than others of the same
            venue and year, see :func:`differences`, together and by venue.
    """
    options = options or Options()
    if not hyperedges.num_rows:
        return EVALUATION.empty_table()
    (corpus,) = pc.unique(hyperedges.column("corpus")).to_pylist()
    # A sum depends on the order of adding: in one order, equal rows give equal bits.
    by = [("year", "ascending"), ("hyperedge_id", "ascending")]
    hyperedges = hyperedges.take(pc.sort_indices(hyperedges.select(["year", "hyperedge_id"]), by))
    scores = scores.take(pc.sort_indices(scores.select(["year", "hyperedge_id"]), by))
    trials, surprise = _walked(hyperedges, WAYS, corpus, settings, options, report)
    rows = list(_areas(hyperedges, trials, settings))
    mixed = shuffled(hyperedges, settings, options.random(corpus, SHUFFLED))
    trials, _ = _walked(mixed, (DEGREE_MATCHED,), f"{corpus}, shuffled", settings, options, report)
    rows += [row | {"measure": SHUFFLED} for row in _areas(mixed, trials, settings)]
    rows += _shares(scores)
    rows += _reproduced(hyperedges, scores, surprise)
    rows += _repeated(hyperedges, surprise, corpus, settings, report)
    rows += _correlations(scores)
    rows += _means_by_size(scores)
    rows += check_fields(scores, papers, corpus, options)
    return pa.Table.from_pylist([row | {"corpus": corpus} for row in rows], schema=EVALUATION)


def _walked(
    table: pa.Table,
    ways: Sequence[str],
    what: str,
    settings: Settings,
    options: Options,
    report: Report,
) -> tuple[list[Trial], np.ndarray]:
    """Return a trial for each year that is scored, and the surprise of each row, nan if none."""
    surprise = np.full(table.num_rows, np.nan)
    seen = np.zeros(node_count_of(table), bool)
    trials = []
    for step in _steps(table, what, settings, report):
        if step.model is not None:
            surprise[step.rows] = step.model.surprise(step.hyperedges)
            random = options.random(what, step.year)
            known = step.hyperedges.where(seen[step.hyperedges.nodes])
            real = known.take(_drawn(known.sizes >= 2, options.documents_a_year, random))
            trials.append(_trial(step.year, real, step.model, ways, np.flatnonzero(seen), random))
        seen[step.hyperedges.nodes] = True
    return trials, surprise


def _steps(table: pa.Table, what: str, settings: Settings, report: Report) -> Iterator[Step]:
    years = len(pc.unique(table.column("year")))
    report(what, 0, years)
    for done, step in enumerate(walk(table, settings), start=1):
        yield step
        report(what, done, years)


def _drawn(usable: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """Return the places of at most `most` usable documents, ascending."""
    places = np.flatnonzero(usable)
    return places if len(places) <= most else np.sort(random.choice(places, most, replace=False))


def _trial(
    year: int,
    real: Hyperedges,
    model: BlockModel,
    ways: Sequence[str],
    known: np.ndarray,
    random: np.random.Generator,
) -> Trial:
    others = {way: made_up(way, real, known, model, random) for way in ways}
    surprise = {way: model.surprise(each.documents) for way, each in others.items()}
    return Trial(year, real, others, {REAL: model.surprise(real)} | surprise)


def _areas(table: pa.Table, trials: Sequence[Trial], settings: Settings) -> Iterator[Row]:
    """Yield the rows of each way of making up documents, together and by year."""
    rivals = mean_pmi(table, trials, settings)
    for way in trials[0].made_up if trials else ():
        of_years: dict[int | None, Areas] = {}
        for trial, rival in zip(trials, rivals, strict=True):
            others = trial.made_up[way]
            real = np.stack([-trial.surprise[REAL], rival[REAL]])[:, others.origins]
            found = areas_within_size(
                real,
                np.stack([-trial.surprise[way], rival[way]]),
                trial.real.sizes[others.origins],
                others.documents.sizes,
            )
            if found is not None:
                of_years[trial.year] = found
        every = together(list(of_years.values()))
        if every is not None:
            for year, areas in ({None: every} | of_years).items():
                yield from _area_rows(way, year, areas)


def _area_rows(way: str, year: int | None, areas: Areas) -> Iterator[Row]:
    for scorer, sides in ((BLOCK, [1, 0]), (PMI, [0, 1]), (LEAD, [1, -1])):
        value = float(areas.values @ sides)
        margin = DEVIATIONS * np.sqrt(max(0.0, sides @ areas.covariance @ sides))
        yield {
            "measure": way,
            "year": year,
            "scorer": scorer,
            "documents": areas.documents,
            "others": areas.others,
            "value": value,
            "low": max(-1.0 if scorer == LEAD else 0.0, value - margin),
            "high": min(1.0, value + margin),
        }


def _shares(scores: pa.Table) -> Iterator[Row]:
    reasons = pc.fill_null(scores.column("reason"), "scored")
    for counted in sorted(
        reasons.value_counts().to_pylist(),
        key=lambda row: (row["values"] != "scored", row["values"]),
    ):
        yield {
            "measure": SCORED,
            "group": counted["values"],
            "documents": counted["counts"],
            "others": scores.num_rows - counted["counts"],
            "value": counted["counts"] / scores.num_rows,
        }


def _reproduced(table: pa.Table, scores: pa.Table, surprise: np.ndarray) -> Iterator[Row]:
    """Yield how many scores of the warehouse have the bits of those that were just made."""
    scored = scores.filter(pc.is_valid(scores.column("surprise")))
    names = table.column("hyperedge_id").combine_chunks()
    places = pc.index_in(scored.column("hyperedge_id"), names)
    made = pc.take(pa.array(surprise), places).to_numpy(zero_copy_only=False)
    yield from _same_bits(REPRODUCED, scored.column("surprise").to_numpy(), np.asarray(made))


def _repeated(
    table: pa.Table,
    surprise: np.ndarray,
    corpus: str,
    settings: Settings,
    report: Report,
) -> Iterator[Row]:
    """Yield how many scores of earlier years have the same bits if the last years are left out."""
    years = years_of(table)
    last = np.unique(years)[-LAST_YEARS:]
    earlier = np.flatnonzero(~np.isin(years, last))
    again = np.full(len(earlier), np.nan)
    what = f"{corpus} without {' and '.join(map(str, last))}"
    for step in _steps(table.take(earlier), what, settings, report):
        if step.model is not None:
            again[step.rows] = step.model.surprise(step.hyperedges)
    is_scored = ~np.isnan(surprise[earlier]) | ~np.isnan(again)
    yield from _same_bits(REPEATED, surprise[earlier][is_scored], again[is_scored])


def _same_bits(measure: str, first: np.ndarray, second: np.ndarray) -> Iterator[Row]:
    if len(first):
        equal = first.astype(np.float64).view(np.int64) == second.astype(np.float64).view(np.int64)
        yield {
            "measure": measure,
            "scorer": SURPRISE,
            "documents": len(first),
            "value": float(equal.mean()),
        }


def _correlations(scores: pa.Table) -> Iterator[Row]:
    scored = scored_only(scores)
    known = scored.column("known_nodes").to_numpy()
    for scorer in (NOVELTY, PERCENTILE, SURPRISE):
        value = rank_correlation(scored.column(scorer).to_numpy(), known)
        if value is not None:
            # Fisher's transformation, with the standard error of Bonett & Wright (2000).
            margin = DEVIATIONS * np.sqrt((1 + value**2 / 2) / (len(known) - 3))
            middle = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
            yield {
                "measure": SIZE_CORRELATION,
                "scorer": scorer,
                "documents": len(known),
                "value": value,
                "low": float(np.tanh(middle - margin)),
                "high": float(np.tanh(middle + margin)),
            }


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return Spearman's; None for fewer than four values, or where a side is constant."""
    from scipy.stats import spearmanr

    if len(first) < 4 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(np.clip(spearmanr(first, second).statistic, -1, 1))


def _means_by_size(scores: pa.Table) -> Iterator[Row]:
    scored = scored_only(scores)
    known, values = (scored.column(name).to_numpy() for name in ("known_nodes", NOVELTY))
    for low, high in SIZES:
        here = values[(known >= low) & (known <= (high or np.inf))]
        if len(here):
            value = float(here.mean())
            row = {
                "measure": BY_SIZE,
                "group": f"{low}+"
                if high is None
                else f"{low}"
                if high == low
                else f"{low}-{high}",
                "scorer": NOVELTY,
                "documents": len(here),
                "value": value,
            }
            if len(here) > 1:
                margin = DEVIATIONS * float(here.std(ddof=1)) / np.sqrt(len(here))
                row |= {"low": max(0.0, value - margin), "high": min(1.0, value + margin)}
            yield row
