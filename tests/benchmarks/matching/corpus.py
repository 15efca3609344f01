"""
Draw papers and patents that are to be matched: vectors as an encoder gives them, and years.

A vector is the sum of four parts, brought to length one: a mean of its side (all texts of one kind
resemble each other), its field, its subject within the field, and what is its own. All but the mean
have one spectrum: as in real vectors, a few directions carry most of the variance. Fields come and
go with the years, and patents take up a field some years after papers. Some documents are closer to
their subject than others, and so become hubs. But for rounding, what is drawn depends on the seed
and the numbers of documents alone; `realism` tells how near it is to vectors of real documents.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

WIDTH = 384
ROWS_PER_BLOCK = 16_384
LAST_YEAR = 2025
YEARS = 60
MODEL = "drawn"

FIELDS, SUBJECTS = 120, 10_000
FIELD_SHARE, SUBJECT_SHARE = 0.27, 0.1
# Years over which a field is common, and by which patents come after papers.
FIELD_YEARS, LAG_YEARS = 6, 3
# How far from their subject documents are, from the nearest to the farthest.
SPREAD = (0.5, 1.4)
# Cosine of the two sides' means.
MEANS_COSINE = 0.675


@dataclass(frozen=True)
class Kind:
    """
    What tells one side from the other.

    Attributes
    ----------
    number
        Parts the random numbers of the sides.
    prefix
        How ids begin.
    growth
        By which factor a year has more documents than the one before. Half of the published
        patents are of the last five years: 1.15. That papers double in six years is assumed.
    mean
        Length of the mean of the vectors.
    delay
        Years after which a field is taken up.
    """

    number: int
    prefix: str
    growth: float
    mean: float
    delay: int


PAPERS = Kind(0, "W", 1.12, 0.433, 0)
PATENTS = Kind(1, "P", 1.15, 0.478, LAG_YEARS)


@dataclass(frozen=True)
class Side:
    """
    Documents of one kind in files, sorted by year descending, then id.

    Attributes
    ----------
    stem
        Path of ``.npy`` (float32[count, WIDTH], of length one) and ``.years.npy`` (int32[count]).
    kind
        Papers or patents.
    """

    stem: Path
    kind: Kind

    def __len__(self) -> int:
        return len(self.years)

    @functools.cached_property
    def years(self) -> np.ndarray:
        """int32[count], descending."""
        return np.load(f"{self.stem}.years.npy")

    def take(self, rows: np.ndarray) -> np.ndarray:
        """
        Return vectors of rows in any order, float32[rows, WIDTH].

        They are read, not mapped: pages of a mapped file would count as memory of the method that
        is measured.
        """
        vectors = np.empty((len(rows), WIDTH), "<f4")
        edges = np.flatnonzero(np.diff(rows, prepend=-2, append=-2) != 1)
        with Path(f"{self.stem}.npy").open("rb") as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            begin = file.tell()
            for start, stop in itertools.pairwise(edges):
                file.seek(begin + int(rows[start]) * WIDTH * 4)
                vectors[start:stop] = np.fromfile(file, "<f4", (stop - start) * WIDTH).reshape(
                    -1, WIDTH
                )
        return vectors

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return the vectors of a run of rows; see :meth:`take`."""
        return self.take(np.arange(start, stop))

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the first row and the vectors of one block of rows after another."""
        stop = len(self) if stop is None else stop
        for first in range(start, stop, ROWS_PER_BLOCK):
            yield first, self.read(first, min(first + ROWS_PER_BLOCK, stop))

    def table(self, rows: np.ndarray, vectors: np.ndarray) -> pa.Table:
        """Return rows as matching takes them: id, year, vector and model."""
        flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
        return pa.table(
            {
                "document_id": [f"{self.kind.prefix}{row:09d}" for row in rows.tolist()],
                "year": pa.array(self.years[rows]),
                "embedding": pa.FixedSizeListArray.from_arrays(flat, WIDTH),
                "model_version": [MODEL] * len(rows),
            }
        )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows; see :meth:`table`."""
        for first, vectors in self.blocks():
            yield from self.table(np.arange(first, first + len(vectors)), vectors).to_batches()


@dataclass(frozen=True)
class Corpus:
    """Papers and patents that lie in a folder."""

    folder: Path

    @functools.cached_property
    def papers(self) -> Side:
        """The later the earlier, as patents are."""
        return Side(self.folder / "papers", PAPERS)

    @functools.cached_property
    def patents(self) -> Side:
        """What papers are matched to."""
        return Side(self.folder / "patents", PATENTS)

    def eligible(self, years: np.ndarray) -> np.ndarray:
        """Return how many patents are of each year or later, int64 of the shape of years."""
        return len(self.patents) - np.searchsorted(self.patents.years[::-1], years, side="left")


def draw(folder: Path, *, patents: int, papers: int, seed: int = 0) -> Corpus:
    """
    Draw a corpus into a folder, unless it lies there already.

    Takes the memory of one block of rows and of the subjects, about 150 MB, whatever is drawn, and
    about 30 microseconds of processor time a document.

    Parameters
    ----------
    folder
        Where the files go: 1,540 bytes a document.
    patents, papers
        Numbers of documents.
    seed
        Start of the random numbers.
    """
    drawn = {
        "patents": patents,
        "papers": papers,
        "seed": seed,
        "kinds": [asdict(PAPERS), asdict(PATENTS)],
        "spread": [*SPREAD, FIELD_SHARE, SUBJECT_SHARE, FIELDS, SUBJECTS],
    }
    note = folder / "corpus.json"
    if not (note.is_file() and json.loads(note.read_text()) == drawn):
        folder.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        subjects = Subjects.drawn(seed)
        for name, kind, count in [("patents", PATENTS, patents), ("papers", PAPERS, papers)]:
            years = years_of(count, kind.growth)
            np.save(folder / f"{name}.years.npy", years)
            with (folder / f"{name}.npy").open("wb") as file:
                header = {"descr": "<f4", "fortran_order": False, "shape": (count, WIDTH)}
                np.lib.format.write_array_header_1_0(file, header)
                for vectors in vectors_of(years, kind, subjects, seed):
                    file.write(vectors.tobytes())
        note.write_text(json.dumps(drawn))
    return Corpus(folder)


def years_of(count: int, growth: float) -> np.ndarray:
    """Return the years of documents that grow by a factor a year, int32[count], descending."""
    shares = growth ** -np.arange(YEARS, dtype=np.float64)
    ends = np.rint(np.cumsum(shares) / shares.sum() * count).astype(np.int64)
    numbers = np.diff(ends, prepend=0)
    return np.repeat(LAST_YEAR - np.arange(YEARS, dtype=np.int32), numbers)


@dataclass(frozen=True)
class Subjects:
    """
    What documents are about.

    Attributes
    ----------
    centres
        float32[SUBJECTS, WIDTH]: field and subject, before the mean is added.
    popularity
        float64[SUBJECTS]: how common each is in its best year.
    peaks
        float64[SUBJECTS]: the year in which papers about it are most common.
    means
        float32[2, WIDTH]: directions of the means of papers and patents.
    rotation
        float32[WIDTH, WIDTH]: spreads what is a document's own over all directions, so that no
        coordinate differs from the others.
    """

    centres: np.ndarray
    popularity: np.ndarray
    peaks: np.ndarray
    means: np.ndarray
    rotation: np.ndarray

    @classmethod
    def drawn(cls, seed: int) -> Subjects:
        random = np.random.default_rng([seed, 2])
        order = np.arange(WIDTH)
        variance = (order + 2.0) ** -0.7 * (1 - order / WIDTH)
        directions, _ = np.linalg.qr(random.normal(size=(WIDTH, WIDTH)))
        rotation = np.sqrt(variance / variance.sum())[:, None] * directions
        field_of = random.integers(0, FIELDS, SUBJECTS)
        fields, subjects = (random.normal(size=(n, WIDTH)) for n in (FIELDS, SUBJECTS))
        centres = np.sqrt(FIELD_SHARE) * fields[field_of] + np.sqrt(SUBJECT_SHARE) * subjects
        # By rank: of fields as words are frequent, of subjects less steeply.
        of_fields = random.permutation((np.arange(FIELDS) + 5.0) ** -0.8)
        popularity = of_fields[field_of] * (np.arange(SUBJECTS) + 50.0) ** -0.5
        peaks = random.uniform(LAST_YEAR - 35, LAST_YEAR + 5, FIELDS)[field_of]
        peaks += 3 * random.normal(size=SUBJECTS)
        apart, _ = np.linalg.qr(random.normal(size=(WIDTH, 2)))
        of_patents = MEANS_COSINE * apart[:, 0] + np.sqrt(1 - MEANS_COSINE**2) * apart[:, 1]
        means = np.stack([apart[:, 0], of_patents])
        found = (centres @ rotation, popularity, peaks, means, rotation)
        return cls(*(part.astype(np.float32 if part.ndim == 2 else np.float64) for part in found))

    def of_year(self, year: int, kind: Kind, numbers: np.ndarray) -> np.ndarray:
        """Return the subjects of documents of a year, given uniform random numbers."""
        distance = (year - kind.delay - self.peaks) / FIELD_YEARS
        reached = np.cumsum(self.popularity * np.exp(-(distance**2) / 2))
        return np.searchsorted(reached, numbers * reached[-1]).clip(0, SUBJECTS - 1)


def vectors_of(
    years: np.ndarray, kind: Kind, subjects: Subjects, seed: int
) -> Iterator[np.ndarray]:
    """Yield the vectors of documents of these years, float32[block, WIDTH], block by block."""
    own = np.float32(np.sqrt(1 - FIELD_SHARE - SUBJECT_SHARE))
    rest = np.float32(np.sqrt(1 - kind.mean**2))
    for block, start in enumerate(range(0, len(years), ROWS_PER_BLOCK)):
        random = np.random.default_rng([seed, kind.number, block])
        of_block = years[start : start + ROWS_PER_BLOCK]
        numbers = random.random(len(of_block))
        chosen = np.empty(len(of_block), np.int64)
        for year in np.unique(of_block):
            here = of_block == year
            chosen[here] = subjects.of_year(int(year), kind, numbers[here])
        spread = random.uniform(*SPREAD, (len(of_block), 1)).astype(np.float32)
        vectors = random.standard_normal((len(of_block), WIDTH), np.float32) @ subjects.rotation
        vectors *= own * spread
        vectors += subjects.centres[chosen]
        vectors *= rest
        vectors += np.float32(kind.mean) * subjects.means[kind.number]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        yield vectors
