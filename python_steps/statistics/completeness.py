"""How much of a year can be visible by a date, from the lags of what is visible.

A document counts for the year of its event (its filing, say) and is seen from its appearance on
(its publication). What has not appeared yet is not in the data: lags are right-truncated, short
ones look too frequent, and a naive share would call young years complete. The distribution of the
lag is therefore estimated backwards in time: of the documents with a lag of at most u, how many
have exactly u, among cohorts old enough to show it (Kalbfleisch and Lawless 1989, J. Am. Stat.
Assoc. 84; Lawless 1994, Can. J. Stat. 22). This is the nonparametric maximum of the likelihood, and
the chain ladder of insurers. Only appearances of the last years count, because offices change.

Months are numbered from the year 0; a lag is a difference of month numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from python_steps.statistics.intervals import percentiles

LONGEST = 120  # months; what appears later than this after its event is not waited for
RECENT = 60  # months of appearances that teach the lags
DRAWS = 300
HALVES = ((0, RECENT // 2), (RECENT // 2, RECENT))
DRIFT = 1.0  # standard deviations of a change to come, in differences between the halves
BLOCK = 12  # consecutive months that are drawn together: cohorts of neighbouring months are alike
MONTHS = 12


@dataclass(frozen=True)
class Cohorts:
    """Documents by the month of their event and their lag.

    Attributes
    ----------
    first
        Number of the first event month.
    counts
        Documents: int64 of shape [months, lags], lags from `shortest` on.
    shortest
        The first lag: below 0 where documents appear before their event.
    """

    first: int
    counts: np.ndarray
    shortest: int

    @classmethod
    def of(cls, events: np.ndarray, lags: np.ndarray, documents: np.ndarray) -> Cohorts:
        """Count documents.

        Parameters
        ----------
        events, lags, documents
            Month of the event, lag in months and number of documents: integers of shape [cells],
            at least one. Lags over LONGEST, and below minus one year, are left out.
        """
        keeps = (lags <= LONGEST) & (lags >= -MONTHS)
        events, lags, documents = events[keeps], lags[keeps], documents[keeps]
        first = int(events.min()) if len(events) else 0
        shortest = min(0, int(lags.min())) if len(lags) else 0
        months = int(events.max()) - first + 1 if len(events) else 1
        counts = np.zeros((months, LONGEST - shortest + 1), dtype=np.int64)
        np.add.at(counts, (events - first, lags - shortest), documents)
        return cls(first, counts, shortest)


def lag_distribution(
    cohorts: Cohorts,
    last: int,
    weights: np.ndarray | None = None,
    recent: tuple[int, int] = (0, RECENT),
) -> np.ndarray:
    """
    Return the share of documents that have appeared after each lag.

    Parameters
    ----------
    cohorts
        What has appeared by the end of the month `last`.
    last
        The last month of which all appearances are there.
    weights
        How often each event month counts: float64 of shape [..., months]; once each unless given.
    recent
        Months before the end of `last` whose appearances teach the lags: from, up to.

    Returns
    -------
    np.ndarray
        Shares by lag, from `cohorts.shortest` to LONGEST, whose share is 1: float64 of shape
        [..., lags]. A lag that no cohort tells of adds nothing.
    """
    months, lags = cohorts.counts.shape
    appeared = cohorts.first + np.arange(months)[:, None] + cohorts.shortest + np.arange(lags)
    is_seen = (appeared <= last - recent[0]) & (appeared > last - recent[1])
    weight = np.ones(months) if weights is None else weights
    here = np.where(is_seen, cohorts.counts, 0)
    so_far = np.where(is_seen, np.cumsum(cohorts.counts, axis=1), 0)
    new, at_risk = weight @ here, weight @ so_far
    kept = 1 - np.divide(new, at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
    # The share after lag u is the product of what is kept at all later lags.
    later = np.cumprod(kept[..., :0:-1], axis=-1)[..., ::-1]
    return np.concatenate([later, np.ones((*later.shape[:-1], 1))], axis=-1)


def visible_share(
    distribution: np.ndarray, shortest: int, year: int, last: int, fraction: float
) -> np.ndarray:
    """
    Return the share of a year's documents that can have appeared.

    Parameters
    ----------
    distribution, shortest
        As `lag_distribution` gives it, and its first lag.
    year
        The year of the events; its months weigh alike.
    last, fraction
        The last whole month, and how much of the next has passed, from 0 to 1.
    """
    ages = last - (year * MONTHS + np.arange(MONTHS)) - shortest
    none = np.zeros((*distribution.shape[:-1], 1))
    padded = np.concatenate([none, distribution], axis=-1)

    def share(age: np.ndarray) -> np.ndarray:
        return padded[..., np.clip(age + 1, 0, distribution.shape[-1])]

    return np.mean(share(ages) + fraction * (share(ages + 1) - share(ages)), axis=-1)


def shares(
    cohorts: Cohorts, years: range, last: int, fraction: float
) -> list[tuple[float, float, float]]:
    """
    Return of each year the share that can be visible, with its 95 % interval.

    The interval is of the share that will turn out: it holds how well the lags are known (blocks
    of event months are drawn with replacement) and the chance of the year's own documents.

    Parameters
    ----------
    cohorts, last, fraction
        As for `lag_distribution` and `visible_share`.
    years
        The years asked for.
    """
    random = np.random.default_rng(0)
    months = len(cohorts.counts)
    estimate = lag_distribution(cohorts, last)
    drawn = lag_distribution(cohorts, last, _weights(months, random))
    # Lags change: what the earlier half of the recent years tells may differ from the later half.
    halves = [lag_distribution(cohorts, last, None, half) for half in HALVES]
    spread = _overdispersion(cohorts, estimate, last)
    chance, drift = random.standard_normal((2, DRAWS))
    found = []
    for year in years:
        share, draws, newer, older = (
            visible_share(one, cohorts.shortest, year, last, fraction)
            for one in (estimate, drawn, *halves)
        )
        begin = year * MONTHS - cohorts.first
        seen = cohorts.counts[max(0, begin) : max(0, begin + MONTHS)].sum()
        whole = max(seen, 1) / max(share, 1e-9)
        draws = draws + np.sqrt(spread * share * (1 - share) / whole) * chance
        draws = draws + DRIFT * (newer - older) * drift
        low, high = percentiles(np.clip(draws, 0, 1))
        found.append((float(share), min(low, float(share)), max(high, float(share))))
    return found


def _weights(months: int, random: np.random.Generator) -> np.ndarray:
    """Return how often each month is drawn, with replacement, in blocks: of [DRAWS, months]."""
    starts = random.integers(-BLOCK + 1, months, size=(DRAWS, -(-months // BLOCK) + 1))
    weights = np.zeros((DRAWS, months + 2 * BLOCK))
    for place in range(BLOCK):
        np.add.at(weights, (np.arange(DRAWS)[:, None], starts + BLOCK + place), 1)
    return weights[:, BLOCK : BLOCK + months]


def _overdispersion(cohorts: Cohorts, distribution: np.ndarray, last: int) -> float:
    """How much more than by chance years differ in what is visible of them: at least 1."""
    months, lags = cohorts.counts.shape
    years: dict[int, np.ndarray] = {}
    for month in range(months):
        year = (cohorts.first + month) // MONTHS
        years[year] = years.get(year, np.zeros(lags)) + cohorts.counts[month]
    squares, degrees = 0.0, 0
    for year, row in years.items():
        # Halves of a year's appearances so far, split at each lag of a whole year.
        limit = min(lags - 1, last - (year + 1) * MONTHS + 1 - cohorts.shortest)
        if limit <= 0 or (year + 1) * MONTHS + LONGEST < last - RECENT:
            continue
        total = row[: limit + 1].sum()
        for split in range(MONTHS - cohorts.shortest, limit, MONTHS):
            share = distribution[split] / distribution[limit] if distribution[limit] else 0
            expected = total * share
            if expected < 5 or total - expected < 5:
                continue
            gap = row[: split + 1].sum() - expected
            squares += gap**2 / (expected * (1 - share))
            degrees += 1
    return max(1.0, squares / degrees) if degrees else 1.0
