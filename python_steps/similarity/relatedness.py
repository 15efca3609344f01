"""
Estimate how likely a pair is related, from what the pair table knows of it.

A confidence says whether both are one invention, which nearly no pair is. Readers ask first whether
a pair is worth looking at: same field, or nearer. Logistic regression on similarity and shared
words says so, fitted to pairs that were graded by reading both texts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Least grade of each level: 3 counterpart, 2 same problem and method, 1 same field, 0 unrelated.
LEVELS = {"related": 1.0, "close": 2.0}
PENALTY = 1e-2  # of squared coefficients: only where grades part perfectly does it decide anything


@dataclass(frozen=True)
class Relatedness:
    """
    Log odds that a pair is of a level: intercept + slopes times similarity and word score.

    Attributes
    ----------
    word_score_slope
        0 where words were not looked at.
    """

    intercept: float
    similarity_slope: float
    word_score_slope: float

    def probabilities(self, similarity: np.ndarray, word_score: np.ndarray) -> np.ndarray:
        """Return the probability of each pair: float64 of shape [pairs]."""
        odds = self.intercept + self.similarity_slope * similarity
        return 1 / (1 + np.exp(-(odds + self.word_score_slope * word_score)))


def fit(
    similarity: np.ndarray, word_score: np.ndarray | None, is_of_level: np.ndarray
) -> Relatedness:
    """
    Fit the relatedness of pairs by logistic regression.

    Parameters
    ----------
    similarity
        Cosine of the vectors: float64 of shape [pairs].
    word_score
        BM25 of the words that both texts share: float64 of shape [pairs]; None leaves it out.
    is_of_level
        Whether readers graded the pair so high: bool of shape [pairs]; both kinds occur.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    columns = [similarity] if word_score is None else [similarity, word_score]
    with threadpool_limits(1):  # the order of a sum must not follow the number of cores
        fitted = LogisticRegression(C=1 / PENALTY, max_iter=5000).fit(
            np.column_stack(columns), is_of_level
        )
    slopes = [*fitted.coef_[0].tolist(), 0.0]
    return Relatedness(float(fitted.intercept_[0]), slopes[0], slopes[1])
