"""
Measure novelty scores: whether they part real documents from made-up ones, and whom they favour.

A real document of a year should surprise less, given the years before, than one of as many keywords
put together by chance. That is the link prediction of Shi & Evans 2023 (Nature Communications
14:1641) with two of its traps closed: made-up documents hold each keyword as often as the real ones
do, so that popularity tells nothing; and only documents of one size are held against each other,
since surprise compares nothing else. Beside the block model stands the mean pointwise mutual
information (PMI) of pairs, the simplest rival.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import novelty
from python_steps.novelty import BlockModel, Hyperedges

CORPORA = ("paper_content", "patent_content", "paper_context", "patent_context")

# Who tells the real from the made-up, and by how much the first is ahead.
BLOCK, PMI, LEAD = "block_model", "mean_pmi", "lead"
# What the documents of a trial are: real, or made up in one of these ways.
REAL = "real"
DEGREE_MATCHED, ONE_REPLACED, UNIFORM = "degree_matched", "one_replaced", "uniform"
PLANTED, SHUFFLED = "planted", "shuffled"
WAYS = (DEGREE_MATCHED, ONE_REPLACED, UNIFORM, PLANTED)
# What else is measured, and of what.
SCORED, SIZE_CORRELATION, BY_SIZE = "share_scored", "size_correlation", "novelty_by_size"
REPRODUCED, REPEATED = "reproduced", "without_last_years"
HIGHLY_CITED, AWARDED = "highly_cited", "awarded"
NOVELTY, PERCENTILE, SURPRISE = "novelty", "novelty_percentile", "surprise"
WITHIN_SIZE = "surprise_within_size"

LAST_YEARS = 2  # left out, to see that earlier scores do not know of them
CONFIDENCE = 0.95
DEVIATIONS = 1.959963984540054  # of a normal distribution, on either side, at that confidence

# Each proposes a switch for every keyword; after two, most keywords of a usual year have moved.
ROUNDS_OF_SWITCHING = 20
ROUNDS_OF_DRAWING = 50
SMALLEST_PLANTED = 4  # two keywords from each side, the fewest that show where they are at home
# Unrelated communities share keywords at most so often, as a share of what chance would give.
MOST_RELATED = 0.5
PAIRS_AT_ONCE = 4_000_000  # 100 MB
NUMBERS_DRAWN_AT_ONCE = 1_000_000  # 8 MB

SMALLEST_GROUP = 20  # documents of a venue and year, so that a tenth is two
SHARE_HIGHLY_CITED = 0.1

SIZES = ((2, 2), (3, 3), (4, 4), (5, 5), (6, 7), (8, 10), (11, 15), (16, None))

# One row per corpus and figure.
EVALUATION = pa.schema(
    [
        ("corpus", pa.string()),
        ("measure", pa.string()),
        ("group", pa.string()),  # reason, size or venue; missing where all are together
        ("year", pa.int32()),  # missing where all are together
        ("scorer", pa.string()),  # whose figure it is, as block_model; missing of shares
        ("documents", pa.int64()),
        ("others", pa.int64()),  # documents that they are held against
        ("value", pa.float64()),
        ("low", pa.float64()),  # of a 95 % interval
        ("high", pa.float64()),
    ]
)

Row = dict[str, object]
# Told what is done, the years done, and all years.
Report = Callable[[str, int, int], None]


def _silent(what: str, done: int, of_all: int) -> None:
    """Tell nothing."""


@dataclass(frozen=True)
class Options:
    """
    How to evaluate.

    Attributes
    ----------
    documents_a_year
        Most documents of a year that are held against made-up ones, drawn at random. Of 5,000, an
        AUC is within .01 of that of all in 19 of 20 years.
    draws
        Samples behind each interval of the field checks.
    seed
        Of every choice by chance; equal seeds and tables give equal bits.
    """

    documents_a_year: int = 5000
    draws: int = 1000
    seed: int = 0

    def random(self, *names: object) -> np.random.Generator:
        """Return a source of chance that depends on nothing but the seed and the names."""
        digest = hashlib.sha256("\n".join(map(str, names)).encode()).digest()
        return np.random.default_rng([self.seed, int.from_bytes(digest[:8])])


def evaluate(
    hyperedges: pa.Table,
    scores: pa.Table,
    papers: pa.Table,
    *,
    settings: novelty.Settings,
    options: Options | None = None,
    report: Report = _silent,
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
        Told how far it has come.

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
            Share of scores that have the same bits when the model is learned anew: those of the
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
    rows += _field_checks(scores, papers, corpus, options)
    return pa.Table.from_pylist([row | {"corpus": corpus} for row in rows], schema=EVALUATION)


# --- real documents and made-up ones ------------------------------------------------------------


@dataclass(frozen=True)
class MadeUp:
    """
    Documents that nobody wrote.

    Attributes
    ----------
    documents
        Their keywords.
    origins
        The real documents that they are held against, those that they were made of: int64, places
        among the real ones, ascending.
    """

    documents: Hyperedges
    origins: np.ndarray


@dataclass(frozen=True)
class Trial:
    """
    Documents of a year, real and made up, and how much they surprise given the years before.

    Attributes
    ----------
    year
        The year.
    real
        Documents, of keywords that are known.
    made_up
        Others, by one of :data:`WAYS`.
    surprise
        Of all of them, by way, and :data:`REAL`: float64[documents], nats.
    """

    year: int
    real: Hyperedges
    made_up: Mapping[str, MadeUp]
    surprise: Mapping[str, np.ndarray]

    @property
    def documents(self) -> dict[str, Hyperedges]:
        """All of them, by way, and :data:`REAL`."""
        return {REAL: self.real} | {way: each.documents for way, each in self.made_up.items()}


def _walked(
    table: pa.Table,
    ways: Sequence[str],
    what: str,
    settings: novelty.Settings,
    options: Options,
    report: Report,
) -> tuple[list[Trial], np.ndarray]:
    """Return a trial for each year that is scored, and the surprise of each row, nan if none."""
    surprise = np.full(table.num_rows, np.nan)
    seen = np.zeros(_node_count(table), bool)
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


def _steps(
    table: pa.Table, what: str, settings: novelty.Settings, report: Report
) -> Iterator[novelty.Step]:
    years = len(pc.unique(table.column("year")))
    report(what, 0, years)
    for done, step in enumerate(novelty.walk(table, settings), start=1):
        yield step
        report(what, done, years)


def _drawn(usable: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """Return the places of at most so many that are usable, ascending."""
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


def made_up(
    way: str,
    real: Hyperedges,
    known: np.ndarray,
    model: BlockModel,
    random: np.random.Generator,
) -> MadeUp:
    """
    Make up documents of the sizes of real ones.

    Parameters
    ----------
    way
        `degree_matched`: the keywords of the real documents dealt anew, see :func:`switched`.
        `one_replaced`: real documents with one keyword exchanged for another, as likely as it is
        frequent in the real ones. `uniform`: of keywords that are known, each equally likely, as
        Shi & Evans do. `planted`: half the keywords of each of two documents of one size, four or
        more, whose communities hardly ever meet, see :func:`unrelated`; held against these two.
    real
        Documents of one year, of keywords that are known, two or more in each.
    known
        Ids of the keywords that are known: integers of shape [known].
    model
        What was known before the year; tells the communities of `planted`.
    random
        Source of chance.

    Returns
    -------
    MadeUp
        At most as many documents. Fewer where there is no other document of a size, as where one
        holds all keywords of its year.
    """
    every = np.arange(len(real))
    if not len(real):
        return MadeUp(real, every)
    if way == DEGREE_MATCHED:
        return MadeUp(switched(real, random), every)
    if way == ONE_REPLACED:
        return _redrawn(real, real.offsets[:-1] + random.integers(real.sizes), real.nodes, random)
    if way == UNIFORM:
        return _redrawn(real, np.arange(len(real.nodes)), known, random)
    return _planted(real, model, random)


def switched(real: Hyperedges, random: np.random.Generator) -> Hyperedges:
    """
    Deal keywords anew, so that documents keep their sizes and keywords their numbers of documents.

    Pairs of documents exchange a keyword each, unless one of them would hold it twice: the
    switching of Uzzi et al. 2013 (Science 342:468), here between documents and keywords. Costs 20
    sorts of all occurrences.
    """
    rows, nodes = _rows(real), real.nodes.astype(np.int64)
    width = int(nodes.max(initial=0)) + 1
    half = len(nodes) // 2
    for _ in range(ROUNDS_OF_SWITCHING):
        order = random.permutation(len(nodes))
        partner = np.arange(len(nodes))
        partner[order[:half]] = order[half : 2 * half]
        partner[order[half : 2 * half]] = order[:half]
        proposed = nodes[partner]
        # What brings a keyword twice is taken back, and then what that brings twice. It ends, since
        # each round takes something back and what all began with was sound.
        while (bad := _is_twice(rows * width + proposed) & (proposed != nodes)).any():
            back = np.flatnonzero(bad)
            back = np.concatenate([back, partner[back]])
            proposed[back] = nodes[back]
        nodes = proposed
    return _ascending(Hyperedges(real.offsets, nodes.astype(np.int32), real.weights))


def shuffled(table: pa.Table, settings: novelty.Settings, random: np.random.Generator) -> pa.Table:
    """
    Return all documents with the keywords of each year dealt anew, see :func:`switched`.

    Parameters
    ----------
    table
        As for :func:`evaluate`, in the order of years.
    settings
        Of which `most_nodes` is read.
    random
        Source of chance.
    """
    every, years = _hyperedges(table, settings), _years(table)
    dealt = [switched(every.take(years == year), random).nodes for year in np.unique(years)]
    lists = pa.LargeListArray.from_arrays(every.offsets, np.concatenate(dealt))
    return table.set_column(table.schema.get_field_index("nodes"), "nodes", lists)


def _redrawn(
    real: Hyperedges, places: np.ndarray, pool: np.ndarray, random: np.random.Generator
) -> MadeUp:
    """Return documents with other keywords in some places, where there are others."""
    rows, nodes = _rows(real), real.nodes.astype(np.int64)
    width = int(max(pool.max(), nodes.max())) + 1
    is_free = np.zeros(len(nodes), bool)
    is_free[places] = True
    for _ in range(ROUNDS_OF_DRAWING):
        nodes[places] = pool[random.integers(len(pool), size=len(places))]
        places = np.flatnonzero(_is_twice(rows * width + nodes) & is_free)
        if not len(places):
            break
    is_other = np.bincount(rows, nodes != real.nodes, len(real)) > 0
    is_other[rows[places]] = False  # those in which a keyword still stands twice
    changed = Hyperedges(real.offsets, nodes.astype(np.int32), real.weights)
    return MadeUp(_ascending(changed.take(is_other)), np.flatnonzero(is_other))


def _planted(real: Hyperedges, model: BlockModel, random: np.random.Generator) -> MadeUp:
    """Join halves of documents of one size whose communities hardly ever meet in this year."""
    home = homes(real, model)
    are_unrelated = unrelated(real, home, model.communities(), model.community_count)
    joined, origins = [], [np.empty(0, np.int64)]
    for size in np.unique(real.sizes[real.sizes >= SMALLEST_PLANTED]):
        members = random.permutation(np.flatnonzero(real.sizes == size))
        pairs = np.stack([members, np.roll(members, 1)], axis=1)
        pairs = pairs[are_unrelated[home[pairs[:, 0]], home[pairs[:, 1]]]]
        nodes = real.nodes[real.offsets[pairs][:, :, None] + np.arange(size)]
        nodes = random.permuted(nodes, axis=2)
        half = int(size) // 2
        mixed = np.sort(np.concatenate([nodes[:, 0, :half], nodes[:, 1, half:]], axis=1), axis=1)
        is_whole = (np.diff(mixed, axis=1) > 0).all(axis=1)
        joined.append(mixed[is_whole])
        origins.append(pairs[is_whole].ravel())
    counts = np.concatenate([[0], *(np.full(len(each), each.shape[1]) for each in joined)])
    flat = np.concatenate([np.empty(0, np.int32), *(each.ravel() for each in joined)])
    documents = Hyperedges(np.cumsum(counts, dtype=np.int64), flat, np.ones(len(counts) - 1))
    return MadeUp(documents, np.unique(np.concatenate(origins)))


def homes(documents: Hyperedges, model: BlockModel) -> np.ndarray:
    """Return the likeliest community of each document, int64; one keyword or more in each."""
    nodes, places = np.unique(documents.nodes, return_inverse=True)
    background = model.settings.background
    ratios = background + (1 - background) * model.theta(nodes) / model.token_shares
    logs = np.log(ratios)
    found = np.empty(len(documents), np.int64)
    at_once = max(
        1, NUMBERS_DRAWN_AT_ONCE // (model.community_count * int(documents.sizes.max(initial=1)))
    )
    for start in range(0, len(documents), at_once):
        offsets = documents.offsets[start : start + at_once + 1]
        some = logs[places[offsets[0] : offsets[-1]]]
        sums = np.add.reduceat(some, offsets[:-1] - offsets[0], axis=0)
        found[start : start + len(sums)] = (sums + np.log(model.pi)).argmax(axis=1)
    return found


def unrelated(
    documents: Hyperedges, home: np.ndarray, communities: np.ndarray, count: int
) -> np.ndarray:
    """
    Tell which communities' documents hold the other's keywords at most half as often as by chance.

    Parameters
    ----------
    documents
        Real ones of a year.
    home
        Community of each document: integers of shape [documents].
    communities
        Community of each keyword, -1 for none: integers by id.
    count
        Communities there are.

    Returns
    -------
    np.ndarray
        bool[count, count], the same both ways; no community is unrelated to itself.
    """
    of_node = communities[documents.nodes]
    told = of_node >= 0
    cells = home[_rows(documents)[told]] * count + of_node[told]
    held = np.bincount(cells, minlength=count**2).reshape(count, count).astype(np.float64)
    expected = np.outer(held.sum(axis=1), held.sum(axis=0)) / max(1.0, held.sum())
    is_rare = held <= MOST_RELATED * expected
    return is_rare & is_rare.T & ~np.eye(count, dtype=bool)


def _rows(hyperedges: Hyperedges) -> np.ndarray:
    """Return the hyperedge of each occurrence, int64."""
    return np.repeat(np.arange(len(hyperedges), dtype=np.int64), hyperedges.sizes)


def _is_twice(keys: np.ndarray) -> np.ndarray:
    """Tell which keys have an equal."""
    order = np.argsort(keys, kind="stable")
    equal = keys[order][1:] == keys[order][:-1]
    found = np.zeros(len(keys), bool)
    found[order[1:][equal]] = True
    found[order[:-1][equal]] = True
    return found


def _ascending(hyperedges: Hyperedges) -> Hyperedges:
    order = np.lexsort([hyperedges.nodes, _rows(hyperedges)])
    return Hyperedges(hyperedges.offsets, hyperedges.nodes[order], hyperedges.weights)


def _hyperedges(table: pa.Table, settings: novelty.Settings) -> Hyperedges:
    columns = (table.column(name) for name in ("nodes", "weight"))
    return Hyperedges.from_arrow(*columns, most_nodes=settings.most_nodes)


def _node_count(table: pa.Table) -> int:
    return int(pc.max(pc.list_flatten(table.column("nodes"))).as_py() or 0) + 1


def _years(table: pa.Table) -> np.ndarray:
    return table.column("year").to_numpy().astype(np.int64)


# --- the rival ----------------------------------------------------------------------------------


def mean_pmi(
    table: pa.Table, trials: Sequence[Trial], settings: novelty.Settings
) -> list[dict[str, np.ndarray]]:
    """
    Return the mean pointwise mutual information of the pairs in each document of trials.

    Of keywords i and j it is ``ln((n_ij + .5) / (s_i s_j / 2n + .5))``, where n_ij counts the
    documents of earlier years that hold both, by weight, s_i is the sum of n_ij over j, and n that
    over all pairs. The halves keep a pair that never met from deciding alone.

    Only pairs in documents of trials are counted, so that memory follows the trials and not the
    corpus: 24 bytes a pair.

    Parameters
    ----------
    table
        All documents, as for :func:`evaluate`.
    trials
        In the order of years.
    settings
        Of which `most_nodes` is read.

    Returns
    -------
    list[dict[str, np.ndarray]]
        For each trial, by what the documents are: float64[documents], high where the keywords are
        known to go together.
    """
    width = _node_count(table)
    documents = [each for trial in trials for each in trial.documents.values()]
    asked = [keys for each in documents for _, keys in _pairs(each, width)]
    counts = _PairCounts(np.unique(np.concatenate(asked)) if asked else np.empty(0, int), width)
    every, years = _hyperedges(table, settings), _years(table)
    order = np.argsort(years, kind="stable")
    ends = np.searchsorted(years[order], [trial.year for trial in trials])
    found, start = [], 0
    for trial, end in zip(trials, ends, strict=True):
        counts.add(every.take(order[start:end]))
        start = end
        found.append({name: counts.mean_pmi(each) for name, each in trial.documents.items()})
    return found


class _PairCounts:
    """
    How many documents hold both keywords of pairs that are asked for.

    Attributes
    ----------
    keys
        Pairs, ascending: int64[pairs], lower id * width + higher id.
    together
        n_ij: float64[pairs].
    strength
        s_i: float64[width].
    """

    def __init__(self, keys: np.ndarray, width: int) -> None:
        self.keys, self.width = keys, width
        self.together, self.strength = np.zeros(len(keys)), np.zeros(width)

    def add(self, past: Hyperedges) -> None:
        """Count more documents."""
        partners = np.repeat(past.weights * (past.sizes - 1), past.sizes)
        self.strength += np.bincount(past.nodes, partners, self.width)
        if not len(self.keys):
            return
        for rows, keys in _pairs(past, self.width):
            places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
            is_asked = self.keys[places] == keys
            np.add.at(self.together, places[is_asked], past.weights[rows[is_asked]])

    def mean_pmi(self, documents: Hyperedges) -> np.ndarray:
        """Return the mean over the pairs of each: float64[documents]."""
        summed = np.zeros(len(documents))
        twice_all = float(self.strength.sum()) or 1.0  # 2n: a pair counts at both its ends
        for rows, keys in _pairs(documents, self.width):
            first, second = np.divmod(keys, self.width)
            expected = self.strength[first] * self.strength[second] / twice_all
            together = self.together[np.searchsorted(self.keys, keys)]
            pmi = np.log((together + 0.5) / (expected + 0.5))
            summed += np.bincount(rows, pmi, len(documents))
        return summed / (documents.sizes * (documents.sizes - 1) / 2)


def _pairs(hyperedges: Hyperedges, width: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield hyperedges and their pairs, as lower id * width + higher id, some at a time."""
    for size in np.unique(hyperedges.sizes[hyperedges.sizes >= 2]):
        first, second = np.triu_indices(size, 1)
        members = np.flatnonzero(hyperedges.sizes == size)
        at_once = max(1, PAIRS_AT_ONCE // len(first))
        for start in range(0, len(members), at_once):
            some = members[start : start + at_once]
            places = hyperedges.offsets[some][:, None] + np.arange(size)
            nodes = hyperedges.nodes[places].astype(np.int64)
            yield np.repeat(some, len(first)), (nodes[:, first] * width + nodes[:, second]).ravel()


# --- how often a real document surprises less ---------------------------------------------------


@dataclass(frozen=True)
class Areas:
    """
    Areas under the curve, of several scorers.

    Attributes
    ----------
    values
        float64[scorers]: how often a real document is the more ordinary one of two, ties counting
        half.
    covariance
        Of these: float64[scorers, scorers].
    documents, others
        Real and made-up documents that were compared.
    """

    values: np.ndarray
    covariance: np.ndarray
    documents: int
    others: int


def areas_within_size(
    real: np.ndarray, others: np.ndarray, real_sizes: np.ndarray, other_sizes: np.ndarray
) -> Areas | None:
    """
    Return areas under the curve between documents of one size, the mean over real documents.

    With the covariance of DeLong, DeLong & Clarke-Pearson 1988 (Biometrics 44:837), which needs two
    documents on either side: other sizes are left out. Costs a sort of each size.

    Parameters
    ----------
    real, others
        How ordinary documents are: float64[scorers, documents] and float64[scorers, others].
    real_sizes, other_sizes
        Keywords of each.

    Returns
    -------
    Areas | None
        None where no size is left.
    """
    parts = []
    for size in np.intersect1d(real_sizes, other_sizes):
        sides = real[:, real_sizes == size], others[:, other_sizes == size]
        if min(side.shape[1] for side in sides) >= 2:
            parts.append(_delong(*sides))
    return together(parts)


def _delong(real: np.ndarray, others: np.ndarray) -> Areas:
    from scipy.stats import rankdata

    here, there = real.shape[1], others.shape[1]
    ranks = rankdata(np.concatenate([real, others], axis=1), axis=1)
    # The share of the other side that each document is on the right side of.
    of_real = (ranks[:, :here] - rankdata(real, axis=1)) / there
    of_others = 1 - (ranks[:, here:] - rankdata(others, axis=1)) / here
    covariance = np.cov(of_real) / here + np.cov(of_others) / there
    return Areas(of_real.mean(axis=1), np.atleast_2d(covariance), here, there)


def together(parts: Sequence[Areas]) -> Areas | None:
    """Return the mean of independent areas, weighted by their real documents; None of none."""
    if not parts:
        return None
    documents = sum(part.documents for part in parts)
    shares = [part.documents / documents for part in parts]
    return Areas(
        sum(share * part.values for share, part in zip(shares, parts, strict=True)),
        sum(share**2 * part.covariance for share, part in zip(shares, parts, strict=True)),
        documents,
        sum(part.others for part in parts),
    )


def _areas(table: pa.Table, trials: Sequence[Trial], settings: novelty.Settings) -> Iterator[Row]:
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
                yield from _told_areas(way, year, areas)


def _told_areas(way: str, year: int | None, areas: Areas) -> Iterator[Row]:
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


# --- the scores themselves ----------------------------------------------------------------------


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
    settings: novelty.Settings,
    report: Report,
) -> Iterator[Row]:
    """Yield how many scores of earlier years have the same bits if the last years are left out."""
    years = _years(table)
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
    scored = _scored(scores)
    known = scored.column("known_nodes").to_numpy()
    for scorer in (NOVELTY, PERCENTILE, SURPRISE):
        value = spearman(scored.column(scorer).to_numpy(), known)
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


def spearman(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return the rank correlation; None of fewer than four values, or where a side is constant."""
    from scipy.stats import rankdata

    if len(first) < 4 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    ranks = [each - each.mean() for each in (rankdata(first), rankdata(second))]
    norm = np.sqrt(np.sum(ranks[0] ** 2) * np.sum(ranks[1] ** 2))
    return float(np.clip(np.sum(ranks[0] * ranks[1]) / norm, -1, 1))


def _means_by_size(scores: pa.Table) -> Iterator[Row]:
    scored = _scored(scores)
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


def _scored(scores: pa.Table) -> pa.Table:
    return scores.filter(pc.is_valid(scores.column(NOVELTY)))


# --- field checks -------------------------------------------------------------------------------


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
    from threadpoolctl import threadpool_limits

    sides = np.stack([member, 1 - member])
    columns = np.concatenate([sides, *(side * values for side in sides)]).T
    even = np.full(len(member), 1 / len(member))
    at_once = max(1, NUMBERS_DRAWN_AT_ONCE // len(member))
    sums = [columns.sum(axis=0)[None, :]]
    with threadpool_limits(1):  # the order of a sum must not follow the number of cores
        for start in range(0, draws, at_once):
            drawn = random.multinomial(len(member), even, size=min(at_once, draws - start))
            sums.append(drawn.astype(np.float64) @ columns)
    inside, outside, *of_scorers = np.concatenate(sums).T
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
        tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
        for scorer, (value, *drawn) in zip(scorers, means, strict=True):
            told = np.array(drawn)[~np.isnan(drawn)]
            low, high = map(float, np.quantile(told, tails)) if len(told) else (None, None)
            yield {
                "measure": measure,
                "group": venue,
                "scorer": scorer,
                "documents": round(self.members),
                "others": self.documents - round(self.members),
                "value": float(value),
                "low": low,
                "high": high,
            }


def _field_checks(
    scores: pa.Table, papers: pa.Table, corpus: str, options: Options
) -> Iterator[Row]:
    """Yield by how much the most cited, and the awarded, differ from others of venue and year."""
    scored = _scored(scores)
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
    deserts: np.ndarray,
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
            member = membership(deserts[here])
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
    codes, years = venues.indices.to_numpy(), _years(facts)
    is_first = np.append(True, (codes[1:] != codes[:-1]) | (years[1:] != years[:-1]))
    starts = np.flatnonzero(is_first) if len(codes) else []
    for start, end in itertools.pairwise([*starts, len(codes)]):
        yield venues.dictionary[codes[start]].as_py(), int(years[start]), slice(start, end)


def _within_size(scored: pa.Table) -> np.ndarray:
    """Return surprise less the mean of the year's documents of as many known keywords, nats."""
    surprise = scored.column(SURPRISE).to_numpy()
    keys = _years(scored) * 1000 + scored.column("known_nodes").to_numpy()
    _, members, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return surprise - (np.bincount(members, surprise, len(counts)) / counts)[members]
