"""Words of a document and their BM25 weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


BM25 = "bm25"


# k1 and b of BM25 as Lucene has them: how soon more of a word says no more, and how far a long text
# needs more of it.
SATURATION = 1.2
LENGTH_SHARE = 0.75


WORD = re.compile(r"\w\w+")


# What is counted over all patents: how many hold a word (`word`), are there of a year (`year`), and
# how many words they have together (`length`).
COUNTS = pa.schema([("what", pa.string()), ("name", pa.string()), ("number", pa.int64())])


@dataclass(frozen=True)
class Words:
    """
    The words of papers, which alone are looked for in patents.

    A word is two letters or digits or more in a row, in lower case; Chinese and other scripts
    without blanks have none that could be found again.

    Attributes
    ----------
    places
        The place of each word, in their order.
    stop_words
        Words that say nothing.
    """

    places: Mapping[str, int]
    stop_words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str], stop_words: Iterable[str] = ()) -> Words:
        """Return the words of texts."""
        stop_words = frozenset(stop_words)
        known = {word for text in texts for word in _split(text)} - stop_words
        return cls({word: place for place, word in enumerate(sorted(known))}, stop_words)

    def count(self, texts: Sequence[str]) -> tuple[csr_matrix, np.ndarray]:
        """
        Count words in texts.

        Returns
        -------
        tuple[csr_matrix, np.ndarray]
            How often each word stands in each text, float64[texts, words]; and how long the texts
            are, in words of any kind but stop words, int64[texts].
        """
        from scipy.sparse import csr_matrix

        ends, places, numbers, lengths = [0], [], [], []
        for text in texts:
            held = Counter(word for word in _split(text) if word not in self.stop_words)
            lengths.append(held.total())
            known = sorted(
                (place, number)
                for word, number in held.items()
                if (place := self.places.get(word)) is not None
            )
            places += (place for place, _ in known)
            numbers += (number for _, number in known)
            ends.append(len(places))
        counts = csr_matrix(
            (np.array(numbers, np.float64), np.array(places, np.int64), np.array(ends, np.int64)),
            shape=(len(lengths), len(self.places)),
        )
        return counts, np.array(lengths, np.int64)


def _split(text: str) -> list[str]:
    return WORD.findall(text.lower())


@dataclass(frozen=True)
class Bm25:
    """
    What words weigh among the patents (Robertson & Zaragoza 2009).

    As Lucene has it (Kamphuis et al. 2020), with a word counted as often as it stands in the
    paper: sum of paper count * ln(1 + (N - n + .5) / (n + .5)) * f / (f + k1 (1 - b + b L / mean)).

    Attributes
    ----------
    words
        What is looked for.
    weights
        ln(1 + (N - n + .5) / (n + .5)) of each word, n of N patents holding it: float64[words].
    mean_length
        Words of a patent.
    """

    words: Words
    weights: np.ndarray
    mean_length: float

    @classmethod
    def of(cls, words: Words, patents: int, holding: np.ndarray, length: int) -> Bm25:
        """
        Weigh words.

        Parameters
        ----------
        words
            What is looked for.
        patents
            All patents.
        holding
            Patents that hold each word: int64[words].
        length
            Words of all patents together.
        """
        weights = np.log1p((patents - holding + 0.5) / (holding + 0.5))
        return cls(words, weights, max(length, 1) / max(patents, 1))

    def held(self, texts: Sequence[str]) -> csr_matrix:
        """Return what each word adds to the score of each text: float64[texts, words]."""
        counts, lengths = self.words.count(texts)
        needed = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * lengths / self.mean_length)
        by_number = np.repeat(needed, np.diff(counts.indptr))
        counts.data = counts.data / (counts.data + by_number) * self.weights[counts.indices]
        return counts


def count_words(patents: pa.Table, *, words: Words) -> pa.Table:
    """
    Count over a shard of patents, columns `year` and `text`, what BM25 must know of all of them.

    Returns
    -------
    pa.Table
        Rows of :data:`COUNTS`, which add up over shards.
    """
    counts, lengths = words.count(patents.column("text").to_pylist())
    holding = np.bincount(counts.indices, minlength=len(words.places))
    found = [("word", word, int(holding[place])) for word, place in words.places.items()]
    years = Counter(patents.column("year").to_pylist())
    found += [("year", str(year), number) for year, number in sorted(years.items())]
    found.append(("length", "", int(lengths.sum())))
    rows = [dict(zip(COUNTS.names, row, strict=True)) for row in found if row[2]]
    return pa.Table.from_pylist(rows, schema=COUNTS)
