"""Measure classifiers: accuracy, calibration and confidence intervals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps import tables
from python_steps.statistics.intervals import percentiles, samples, sums_of

BINS_OF_CALIBRATION = 10
DRAWS = 1000


# Distinct scores in a bootstrap. More of them are cut into as many ranks, which moves
# average precision by less than 0.001 and bounds the cost of a group of any size.
MOST_LEVELS = 4096


MEASURES = ("precision", "recall", "f1", "average_precision", "calibration_error")


# Columns of predictions to group by; `all` makes one group.
DIMENSIONS = ("all", "source_name", "label_source", "stratum", "language", "year_band")
UNKNOWN = "unknown"


TOGETHER, OUTER, INNER = "two layers together", "outer", "inner"


def average_precision(
    truth: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Return the area under the precision-recall steps; null (nan) without a positive."""
    from sklearn.metrics import average_precision_score

    if not truth.any():
        return float("nan")
    # Of all right, the sum of the steps rounds to a little above one.
    return min(1.0, float(average_precision_score(truth, scores, sample_weight=weights)))


def expected_calibration_error(
    truth: np.ndarray, probabilities: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """
    Return the mean distance of probability and truth (ECE, Naeini et al. 2015).

    Over ten bins of equal width, weighted by their documents.
    """
    if not len(truth):
        return float("nan")
    weights = np.ones(len(truth)) if weights is None else weights
    bins = np.clip((probabilities * BINS_OF_CALIBRATION).astype(int), 0, BINS_OF_CALIBRATION - 1)
    differences = weights * (probabilities - truth)
    summed = np.bincount(bins, differences, minlength=BINS_OF_CALIBRATION)
    return float(np.abs(summed).sum() / weights.sum())


def measures(truth: np.ndarray, probabilities: np.ndarray, threshold: float) -> dict[str, float]:
    """
    Return counts, precision, recall, F1, average precision and calibration error.

    A share of nothing is nan: precision where nothing is accepted, recall without a positive.
    """
    return measures_of(truth, probabilities >= threshold, probabilities)


def measures_of(
    truth: np.ndarray,
    said: np.ndarray,
    probabilities: np.ndarray | None,
    weights: np.ndarray | None = None,
) -> dict[str, float]:
    """
    Return what :func:`measures` does, of a judge that may have no threshold.

    Parameters
    ----------
    truth, said
        What labels and the judge say: bool of shape [documents].
    probabilities
        float64 of shape [documents]; None for a judge without any, such as a rule: average
        precision and calibration error are then nan.
    weights
        How many documents each one stands for (Horvitz and Thompson 1952): float64 above 0 of
        shape [documents]; None for one each. Counts are of the documents themselves.
    """
    weights = np.ones(len(truth)) if weights is None else weights
    hits, accepted, positives = (
        float(weights[chosen].sum()) for chosen in (said & truth, said, truth)
    )
    has_scores = probabilities is not None
    return {
        "documents": len(truth),
        "positives": int(truth.sum()),
        "accepted": int(said.sum()),
        "precision": _share(hits, accepted),
        "recall": _share(hits, positives),
        "f1": _share(2 * hits, accepted + positives),
        "average_precision": (
            average_precision(truth, probabilities, weights) if has_scores else float("nan")
        ),
        "calibration_error": (
            expected_calibration_error(truth, probabilities, weights)
            if has_scores
            else float("nan")
        ),
    }


def intervals(
    truth: np.ndarray,
    said: np.ndarray,
    probabilities: np.ndarray | None,
    weights: np.ndarray | None = None,
    *,
    draws: int = DRAWS,
    seed: Sequence[int] = (0,),
) -> dict[str, tuple[float, float]]:
    """
    Return the 95 % interval of each measure, by the percentiles of a bootstrap (Efron 1979).

    Documents are drawn with replacement, as many as there are. Equal ones (score, label, answer,
    weight) are drawn together as one cell of a multinomial distribution, so that the cost is that
    of draws times distinct cells, about half a second for 1,000 draws of 10,000 documents and at
    most that for more; some 50 MB at a time.

    Where all documents agree, as where recall is 1, the interval has no width: it says that they
    agree, not that the value is sure. The calibration error of a draw holds the noise of the draw,
    so its interval leans to the high side.

    Parameters
    ----------
    truth, said, probabilities, weights
        As in :func:`measures_of`.
    draws
        How many samples are drawn.
    seed
        Equal seeds and documents give equal intervals, in whatever order the documents come.

    Returns
    -------
    dict[str, tuple[float, float]]
        Low and high end by name of measure; nan where no draw has the measure.
    """
    if not len(truth):
        return dict.fromkeys(MEASURES, (float("nan"), float("nan")))
    cells = Cells.of(truth, said, probabilities, weights)
    drawn = [
        cells.measures(part)
        for part in samples(cells.counts, draws, np.random.default_rng(list(seed)))
    ]
    return {name: percentiles(np.concatenate([part[name] for part in drawn])) for name in MEASURES}


class Cells:
    """
    Documents that count alike, in the order of falling scores.

    Attributes
    ----------
    counts
        Documents of each cell: int64 of shape [cells].
    sums
        What one document of a cell adds to all documents, true positives, answers of yes,
        positives, and the difference of probability and truth in each bin of calibration: float64
        of shape [cells, 4 + bins], without bins where there are no probabilities.
    ends
        The last cell of each level of scores that holds a positive.
    """

    def __init__(
        self, counts: np.ndarray, sums: np.ndarray, ends: np.ndarray, *, has_scores: bool
    ) -> None:
        self.counts, self.sums, self.ends, self.has_scores = counts, sums, ends, has_scores

    @classmethod
    def of(
        cls,
        truth: np.ndarray,
        said: np.ndarray,
        probabilities: np.ndarray | None,
        weights: np.ndarray | None = None,
    ) -> Cells:
        """Count documents at each level of probability, by truth, prediction and weight."""
        weights = np.ones(len(truth)) if weights is None else weights
        heavy, weight_of = np.unique(weights, return_inverse=True)
        levels = np.zeros(len(truth), np.int64)
        if probabilities is not None:
            distinct, levels = np.unique(-probabilities, return_inverse=True)
            if len(distinct) > MOST_LEVELS:
                levels = levels * MOST_LEVELS // len(distinct)
        kinds = ((levels * len(heavy) + weight_of) * 2 + truth) * 2 + said
        named, members, counts = np.unique(kinds, return_inverse=True, return_counts=True)
        level, is_true, is_said = named // 4 // len(heavy), named // 2 % 2, named % 2
        weight = heavy[named // 4 % len(heavy)]
        columns = [np.ones(len(named)), is_true * is_said, is_said, is_true]
        if probabilities is not None:
            bins = np.clip(
                (probabilities * BINS_OF_CALIBRATION).astype(int), 0, BINS_OF_CALIBRATION - 1
            )
            # Summed in the order of scores, so that no order of documents shows.
            order = np.lexsort([probabilities, members])
            for place in range(BINS_OF_CALIBRATION):
                difference = np.where(bins == place, probabilities - truth, 0.0)
                columns.append(np.bincount(members[order], difference[order], len(counts)) / counts)
        ends = np.flatnonzero(np.append(level[1:] != level[:-1], True))
        held = np.diff(np.cumsum(is_true)[ends], prepend=0) > 0
        return cls(
            counts,
            np.stack(columns, axis=1) * weight[:, None],
            ends[held],
            has_scores=probabilities is not None,
        )

    def measures(self, drawn: np.ndarray) -> dict[str, np.ndarray]:
        """Return each measure of each draw; `drawn` has shape [draws, cells]."""
        sums = sums_of(drawn, self.sums)
        documents, hits, accepted, positives = sums[:, :4].T
        nothing = np.full(len(drawn), np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = {
                "precision": hits / accepted,
                "recall": hits / positives,
                "f1": 2 * hits / (accepted + positives),
                "average_precision": nothing,
                "calibration_error": nothing,
            }
            if self.has_scores:
                found["calibration_error"] = np.abs(sums[:, 4:]).sum(axis=1) / documents
                ranked = np.cumsum(drawn * self.sums[:, 0], axis=1)[:, self.ends]
                kept = np.cumsum(drawn * self.sums[:, 3], axis=1)[:, self.ends]
                gained = np.diff(kept, axis=1, prepend=0)
                steps = np.divide(gained * kept, ranked, where=ranked > 0, out=0 * ranked).sum(1)
                found["average_precision"] = np.minimum(steps / positives, 1.0)
        return found


def evaluate(predictions: pa.Table, *, draws: int = DRAWS, seed: int = 0) -> pa.Table:
    """
    Measure judges of documents, all together and by groups.

    Parameters
    ----------
    predictions
        Rows of :data:`tables.PREDICTIONS`, one per document and judge.
    draws, seed
        Of the bootstrap; the interval of a group does not depend on the other groups.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.EVALUATION`: one per judge, type of document, dimension and value of
        it that occurs. Measures are null where they are a share of nothing, and of rules where they
        need a probability. A threshold is null where several were in use.
    """
    rows = [
        row
        for judge, kind in distinct(predictions, ["judge", "document_type"])
        for row in _evaluated(
            with_columns(predictions, judge=judge, document_type=kind), draws, seed
        )
    ]
    return pa.Table.from_pylist(rows, schema=tables.EVALUATION)


def _evaluated(predictions: pa.Table, draws: int, seed: int) -> Iterator[dict[str, object]]:
    """Yield the rows of one judge of one type of document."""
    (judge, kind), *_ = distinct(predictions, ["judge", "document_type"])
    truth, said = (bools(predictions, name) for name in ("is_ai", "is_accepted"))
    scores = predictions.column("probability")
    probabilities = None if scores.null_count else scores.to_numpy().astype(np.float64)
    weights = predictions.column("sampling_weight").to_numpy()
    for dimension, value, here in groups(predictions):
        scored = None if probabilities is None else probabilities[here]
        part = truth[here], said[here], scored, weights[here]
        name = "\n".join([judge, kind, dimension, value])
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
        bounds = intervals(*part, draws=draws, seed=[seed, key])
        members = predictions.filter(pa.array(here))
        yield {
            "judge": judge,
            "document_type": kind,
            "dimension": dimension,
            "value": value,
            "threshold": _only(members, "threshold"),
            "model_version": _only(members, "model_version"),
            **{name: _or_null(found) for name, found in measures_of(*part).items()},
            **{f"{name}_low": _or_null(low) for name, (low, _) in bounds.items()},
            **{f"{name}_high": _or_null(high) for name, (_, high) in bounds.items()},
        }


def groups(predictions: pa.Table) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield dimension, value, and which rows are of it: bool of shape [rows]."""
    for dimension in DIMENSIONS:
        if dimension == "all":
            yield dimension, "all", np.ones(predictions.num_rows, bool)
            continue
        values = pc.fill_null(predictions.column(dimension), UNKNOWN)
        for value in sorted(set(values.to_pylist())):
            yield dimension, value, pc.equal(values, value).to_numpy(zero_copy_only=False)


def year_band(year: int | None) -> str | None:
    """Return the five years around a year, as 2015-2019."""
    if year is None:
        return None
    first = year - year % 5
    return f"{first}-{first + 4}"


def distinct(table: pa.Table, names: list[str]) -> list[tuple[str, ...]]:
    """Return the distinct combinations of text columns, sorted."""
    found = table.group_by(names).aggregate([])
    return sorted(zip(*(found.column(name).to_pylist() for name in names), strict=True))


def with_columns(table: pa.Table, **values: str) -> pa.Table:
    """Return the rows whose text columns have these values."""
    for name, value in values.items():
        table = table.filter(pc.equal(table.column(name), value))
    return table


def bools(table: pa.Table, name: str) -> np.ndarray:
    """Return a boolean column as a NumPy array of shape [rows]."""
    return table.column(name).to_numpy(zero_copy_only=False).astype(bool)


def _only(table: pa.Table, name: str) -> object:
    """Return the one value of a column, or null where there are several."""
    found = pc.unique(table.column(name)).to_pylist()
    return found[0] if len(found) == 1 else None


def _or_null(number: float) -> float | None:
    return None if np.isnan(number) else number


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
