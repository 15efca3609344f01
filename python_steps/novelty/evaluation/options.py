"""Names and options of the evaluation of novelty."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

CORPORA = ("paper_content", "patent_content", "paper_context", "patent_context")


# What separates real documents from made-up ones, and the lead of the first.
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


def no_report(what: str, done: int, of_all: int) -> None:
    """Ignore progress."""


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


def scored_only(scores: pa.Table) -> pa.Table:
    """Return the rows that have a novelty score."""
    return scores.filter(pc.is_valid(scores.column(NOVELTY)))


def corpora_of(measured: pa.Table) -> list[str]:
    """Return the corpora that were measured, in their usual order."""
    found = set(measured.column("corpus").to_pylist())
    return [corpus for corpus in CORPORA if corpus in found]
