"""Calibrate a classifier's probabilities and choose its threshold."""

from __future__ import annotations

import numpy as np


def calibration(truth: np.ndarray, logits: np.ndarray) -> tuple[float, float]:
    """
    Fit the temperature and bias with which logits become probabilities (Platt 1999).

    Parameters
    ----------
    truth
        bool of shape [documents]; both kinds occur.
    logits
        Log odds of shape [documents].

    Returns
    -------
    tuple[float, float]
        `temperature`, above zero, and `bias`: probability = sigmoid(logit / temperature + bias).

    Raises
    ------
    ValueError
        When larger logits do not mean AI more often, so that no temperature above zero fits.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    # Platt's targets rather than 0 and 1, so that logits which part both kinds have a finite fit:
    # each document counts a little for the other kind.
    positives, negatives = int(truth.sum()), int((~truth).sum())
    share = np.where(truth, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    twice = np.concatenate([logits, logits]).reshape(-1, 1).astype(np.float64)
    labels = np.repeat([True, False], len(truth))
    with threadpool_limits(1):  # the order of a sum must not follow the number of cores
        fitted = LogisticRegression(C=np.inf, max_iter=1000).fit(
            twice, labels, sample_weight=np.concatenate([share, 1 - share])
        )
    slope = float(fitted.coef_[0, 0])
    if slope <= 0:
        message = "the classifier learned nothing: its scores are not higher where a label says AI"
        raise ValueError(message)
    return 1 / slope, float(fitted.intercept_[0])


def threshold_at_recall(
    truth: np.ndarray, scores: np.ndarray, recall: float, weights: np.ndarray | None = None
) -> float:
    """
    Return the highest threshold that new positives are expected to pass at this share.

    A new positive is as likely to fall into each gap between n known ones, so that it falls below
    the k-th lowest with probability k / (n + 1) (split conformal prediction, Papadopoulos et al.
    2002). The share of the known ones themselves would promise too much: among 80 positives,
    .98 of them are .975 of new ones. Where so few are known that no threshold promises it, that
    of the lowest. With weights the new one has the mean weight (Tibshirani et al. 2019).

    Parameters
    ----------
    truth
        bool[documents], at least one true.
    scores
        float64[documents].
    recall
        Share to keep.
    weights
        How many documents each one stands for: float64[documents], above 0; None for one each.
    """
    weights = np.ones(len(truth)) if weights is None else weights
    order = np.flatnonzero(truth)[np.argsort(scores[truth], kind="stable")]
    below = np.cumsum(weights[order]) / weights[order].mean()
    missed = int(np.searchsorted(below, (1 - recall) * (len(order) + 1) + 1e-9, side="right"))
    return float(scores[order[max(0, missed - 1)]])


def threshold_at_best_f1(probabilities: np.ndarray, weights: np.ndarray | None = None) -> float:
    """
    Return the threshold of the highest F1 that calibrated probabilities let expect.

    The expected F1 is that of expected counts, and is highest near half its own height (Lipton,
    Elkan and Narayanaswamy 2014). Labels count through the calibration only, which has two
    parameters: the F1 of a few hundred labels has its peak anywhere on a plain. The threshold lies
    half way to the next lower probability, since that itself would be the edge of one document's
    fortune.

    Parameters
    ----------
    probabilities
        float64[documents], at least one.
    weights
        How many documents each one stands for: float64[documents], above 0; None for one each.
    """
    weights = np.ones(len(probabilities)) if weights is None else weights
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    expected_hits = np.cumsum(weights[order] * ranked)
    f1 = 2 * expected_hits / (np.cumsum(weights[order]) + expected_hits[-1])
    # A threshold cannot part equal probabilities.
    f1 = np.where(np.append(ranked[1:] != ranked[:-1], True), f1, -1.0)
    best = int(np.argmax(f1))
    return float(ranked[best : best + 2].mean())
