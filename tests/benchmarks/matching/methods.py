"""
What is compared: our ways of matching, those of other libraries, and the plain ones.

All obey the same rule, that no patent is of an earlier year than its paper. Indexes of other
libraries are given the year sweep too: they grow by the patents of a year before its papers are
looked up, so that no search is wasted and none has to be filtered.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.similarity import indexes, matcher
from python_steps.similarity.method import chosen_method
from python_steps.similarity.patents import Patents, store_block
from tests.benchmarks.matching.corpus import WIDTH, Corpus, Side

# Numbers that an index trades time for recall by, each about half as much again as the last.
EXPANSIONS = (32, 48, 64, 96, 128, 192, 256, 384, 512)
LISTS = (2, 4, 8, 16, 32, 64, 128, 256)
# What our index is built with, so that graphs have the same number of edges.
EDGES, EXPANSION_ADD = indexes.CONNECTIVITY, indexes.EXPANSION_ADD


@dataclass(frozen=True)
class Task:
    """
    What every method is told.

    Attributes
    ----------
    corpus
        The papers and patents.
    count
        Patents to find for a paper.
    threads
        Threads to build and to search with.
    settings
        Further parameters of our matcher, as `memory`.
    """

    corpus: Corpus
    count: int
    threads: int
    settings: dict[str, object]


@dataclass(frozen=True)
class Papers:
    """
    Some papers.

    Attributes
    ----------
    rows
        int64[papers], their places among all papers.
    years
        int32[papers].
    vectors
        float32[papers, WIDTH].
    table
        The same as our matcher takes it.
    """

    rows: np.ndarray
    years: np.ndarray
    vectors: np.ndarray
    table: pa.Table

    @classmethod
    def read(cls, side: Side, rows: np.ndarray) -> Papers:
        """Read papers from their files."""
        vectors = side.take(rows)
        return cls(rows, side.years[rows], vectors, side.table(rows, vectors))


class Method:
    """
    A way of matching.

    Attributes
    ----------
    library
        What must be installed.
    settings
        Numbers to search with one after another; None: there is nothing to choose.
    default
        The one of them that stands for the method in full: it is given all papers.
    papers_at_most
        More papers than this cost too much; what all would cost is then extrapolated.
    by_year
        Whether papers come by year, from the last to the first, and :meth:`grow` before each.
    finds_one
        Whether only the nearest patent is found.
    """

    library: str | None = None
    settings: tuple[int | None, ...] = (None,)
    default: int | None = None
    is_ours = False
    papers_at_most: int | None = None
    by_year = True
    finds_one = False

    def __init__(self, task: Task) -> None:
        self.task = task
        self.added = 0

    @property
    def used(self) -> str | None:
        """Which of ours a method that chooses has chosen."""
        return None

    @classmethod
    def missing(cls) -> str | None:
        """Say why the method cannot run here; None where it can."""
        if cls.library and importlib.util.find_spec(cls.library) is None:
            return f"{cls.library} is not installed: pip install '.[benchmark]'"
        return None

    def load(self) -> None:
        """Import the library; counts as nothing."""

    def prepare(self) -> None:
        """Read or train what is needed before the first patent; counts as building."""

    def grow(self, end: int) -> None:
        """Add patents up to a row; counts as building."""
        for first, vectors in self.task.corpus.patents.blocks(self.added, end):
            self.add(first, vectors)
        self.added = max(self.added, end)

    def add(self, first: int, vectors: np.ndarray) -> None:
        """Add patents whose first has this row."""
        raise NotImplementedError

    def search(self, papers: Papers, setting: int | None) -> object:
        """Find the nearest patents of papers; all that is timed as searching."""
        raise NotImplementedError

    def positions(self, found: object, papers: Papers) -> np.ndarray:
        """Return rows of patents from nearest to farthest, int64[papers, count], -1 for none."""
        del papers
        return np.asarray(found).astype(np.int64)


# --- ours -----------------------------------------------------------------------------------------


class Ours(Method):
    """Our matcher, a year of papers after another as a build gives them."""

    is_ours = True
    method = "exact"
    changed: ClassVar[dict[str, object]] = {}

    @classmethod
    def missing(cls) -> str | None:
        known = {field.name for field in dataclasses.fields(matcher.Matcher)}
        unknown = ", ".join(sorted(cls.changed.keys() - known))
        return f"the matcher has no setting {unknown}" if unknown else super().missing()

    @property
    def used(self) -> str | None:
        return self.matcher.method

    def load(self) -> None:
        import torch
        import usearch.index

        del usearch  # only to have it imported
        torch.set_num_threads(self.task.threads)

    def prepare(self) -> None:
        corpus = self.task.corpus
        table = pa.Table.from_batches(corpus.patents.batches())
        patents = Patents.from_blocks(store_block(table, folder=corpus.folder, index=False))
        settings = self.task.settings | self.changed
        self.matcher = matcher.Matcher(
            patents, self.task.count, self.chosen(patents, settings), **settings
        )

    def chosen(self, patents: Patents, settings: dict[str, object]) -> str:
        return self.method

    def grow(self, end: int) -> None:
        if self.matcher.method == "hnsw":
            self.matcher._indexes().grow(np.array([[0, end]]))

    def search(self, papers: Papers, setting: int | None) -> object:
        if self.matcher.method == "hnsw":
            index = self.matcher._indexes()
            index.settings = dataclasses.replace(index.settings, expansion_search=setting)
        return self.matcher.step(papers.table)

    def positions(self, found: object, papers: Papers) -> np.ndarray:
        rows, patents = (
            pc.cast(pc.utf8_slice_codeunits(found.column(name), 1), pa.int64()).to_numpy()
            for name in ("paper_id", "patent_id")
        )
        positions = np.full((len(papers.rows), self.task.count), -1)
        places = np.searchsorted(papers.rows, rows)
        positions[places, found.column("rank").to_numpy() - 1] = patents
        return positions


class OursExactF32(Ours):
    """Everything is compared in float32."""

    changed: ClassVar[dict[str, object]] = {"precision": "f32", "device": "cpu"}


class OursExactBf16(Ours):
    """Everything is compared in bf16, what may count again in full precision."""

    changed: ClassVar[dict[str, object]] = {"precision": "bf16", "device": "cpu"}


class OursExactCuda(Ours):
    """Everything is compared on a GPU, whose time is no processor time: the wall counts."""

    changed: ClassVar[dict[str, object]] = {"device": "cuda"}

    @classmethod
    def missing(cls) -> str | None:
        import torch

        return super().missing() if torch.cuda.is_available() else "torch has no CUDA device here"


class OursHnsw(Ours):
    """One thread builds, as by default, so that the index is the same every time."""

    method = "hnsw"
    settings = (*EXPANSIONS, None)  # the last: what fits the number of patents


class OursHnswThreads(OursHnsw):
    """All threads build: another index every time."""

    changed: ClassVar[dict[str, object]] = {"add_threads": 0}


class OursAuto(Ours):
    """What a build does unless told otherwise."""

    def chosen(self, patents: Patents, settings: dict[str, object]) -> str:
        corpus = self.task.corpus
        years = (Counter(side.years.tolist()) for side in (corpus.papers, corpus.patents))
        return chosen_method("auto", *years, width=WIDTH, **settings)


# --- plain ----------------------------------------------------------------------------------------


class Loop(Method):
    """
    The published way: one paper after another is compared with every patent of its year or later.

    As told of the authors' last script: patents of the year or later are selected, scikit-learn
    computes the cosine to each, the highest is kept. Reading files and embedding are left out.
    """

    papers_at_most = 20
    by_year = False
    finds_one = True

    def load(self) -> None:
        from sklearn.metrics.pairwise import cosine_similarity

        self.cosine = cosine_similarity

    def prepare(self) -> None:
        patents = self.task.corpus.patents
        self.vectors, self.years = patents.read(0, len(patents)), patents.years

    def grow(self, end: int) -> None:
        """Nothing grows."""

    def search(self, papers: Papers, setting: int | None) -> object:
        found = np.full((len(papers.rows), 1), -1)
        for place, (year, vector) in enumerate(zip(papers.years, papers.vectors, strict=True)):
            later = np.flatnonzero(self.years >= year)
            if len(later):
                similarities = self.cosine(vector[None, :], self.vectors[later])[0]
                found[place] = later[np.argmax(similarities)]
        return found


class Brute(Method):
    """Blocks of papers against all patents in float32, those of earlier years crossed out."""

    papers_at_most = 2000
    by_year = False
    block = 128

    def prepare(self) -> None:
        patents = self.task.corpus.patents
        self.vectors, self.years = patents.read(0, len(patents)), patents.years

    def grow(self, end: int) -> None:
        """Nothing grows."""

    def search(self, papers: Papers, setting: int | None) -> object:
        count = min(self.task.count, len(self.vectors))
        found = np.full((len(papers.rows), self.task.count), -1)
        for start in range(0, len(papers.rows), self.block):
            block = slice(start, start + self.block)
            scores = papers.vectors[block] @ self.vectors.T
            scores[self.years[None, :] < papers.years[block, None]] = -np.inf
            best = np.argpartition(scores, -count, axis=1)[:, -count:]
            values = np.take_along_axis(scores, best, 1)
            order = np.argsort(-values, axis=1)
            best, values = (np.take_along_axis(part, order, 1) for part in (best, values))
            found[block, :count] = np.where(values > -np.inf, best, -1)
        return found


# --- other libraries ------------------------------------------------------------------------------


class Faiss(Method):
    """An index of faiss that grows with the years."""

    library = "faiss"

    def load(self) -> None:
        import faiss

        faiss.omp_set_num_threads(self.task.threads)
        self.faiss = faiss

    def prepare(self) -> None:
        self.index = self.built(self.faiss)

    def built(self, faiss: object) -> object:
        """Return an empty index."""
        raise NotImplementedError

    def add(self, first: int, vectors: np.ndarray) -> None:
        self.index.add(vectors)

    def search(self, papers: Papers, setting: int | None) -> object:
        if setting is not None:
            self.apply(setting)
        return self.index.search(papers.vectors, self.task.count)[1]

    def apply(self, setting: int) -> None:
        """Search with a setting from now on."""
        raise NotImplementedError


class FaissFlat(Faiss):
    """Everything is compared; the sweep spares what is too early."""

    def built(self, faiss: object) -> object:
        return faiss.IndexFlatIP(WIDTH)


class FaissHnsw(Faiss):
    """The graph of our index over vectors in float32."""

    settings = EXPANSIONS

    def built(self, faiss: object) -> object:
        return self.prepared(faiss.IndexHNSWFlat(WIDTH, EDGES, faiss.METRIC_INNER_PRODUCT))

    def prepared(self, index: object) -> object:
        index.hnsw.efConstruction = EXPANSION_ADD
        return index

    def apply(self, setting: int) -> None:
        self.index.hnsw.efSearch = setting


class FaissHnswBf16(FaissHnsw):
    """The same over vectors in bf16, as our index holds them, but not compared again in float32."""

    def built(self, faiss: object) -> object:
        kind = faiss.ScalarQuantizer.QT_bf16
        index = faiss.IndexHNSWSQ(WIDTH, kind, EDGES, faiss.METRIC_INNER_PRODUCT)
        index.train(self.task.corpus.patents.read(0, min(len(self.task.corpus.patents), 1000)))
        return self.prepared(index)


class FaissIvf(Faiss):
    """
    Lists around centres, four for each root of the patents.

    Centres are learned from a sample of all years, 40 patents a list, as faiss advises.
    """

    settings = LISTS

    def built(self, faiss: object) -> object:
        patents = self.task.corpus.patents
        lists = max(1, int(4 * len(patents) ** 0.5))
        self.coarse = faiss.IndexFlatIP(WIDTH)
        index = faiss.IndexIVFFlat(self.coarse, WIDTH, lists, faiss.METRIC_INNER_PRODUCT)
        wanted = min(len(patents), 40 * lists)
        random = np.random.default_rng(0)
        sample = np.empty((wanted, WIDTH), np.float32)
        rows = np.sort(random.choice(len(patents), wanted, replace=False))
        for first, vectors in patents.blocks():
            start, stop = np.searchsorted(rows, [first, first + len(vectors)])
            sample[start:stop] = vectors[rows[start:stop] - first]
        index.train(sample)
        return index

    def apply(self, setting: int) -> None:
        self.index.nprobe = setting


class Hnswlib(Method):
    """The graph of our index over vectors in float32."""

    library = "hnswlib"
    settings = EXPANSIONS

    def load(self) -> None:
        import hnswlib

        self.hnswlib = hnswlib

    def prepare(self) -> None:
        self.index = self.hnswlib.Index(space="ip", dim=WIDTH)
        patents = len(self.task.corpus.patents)
        self.index.init_index(patents, ef_construction=EXPANSION_ADD, M=EDGES, random_seed=0)
        self.index.set_num_threads(self.task.threads)

    def add(self, first: int, vectors: np.ndarray) -> None:
        self.index.add_items(vectors, np.arange(first, first + len(vectors)))

    def search(self, papers: Papers, setting: int | None) -> object:
        count = min(self.task.count, self.added)
        self.index.set_ef(setting)
        found = np.full((len(papers.rows), self.task.count), -1)
        found[:, :count] = self.index.knn_query(papers.vectors, count)[0]
        return found


METHODS: dict[str, type[Method]] = {
    "ours-exact-f32": OursExactF32,
    "ours-exact-bf16": OursExactBf16,
    "ours-exact-cuda": OursExactCuda,
    "ours-hnsw": OursHnsw,
    "ours-hnsw-threads": OursHnswThreads,
    "ours-auto": OursAuto,
    "brute": Brute,
    "loop": Loop,
    "faiss-flat": FaissFlat,
    "faiss-hnsw": FaissHnsw,
    "faiss-hnsw-bf16": FaissHnswBf16,
    "faiss-ivf": FaissIvf,
    "hnswlib": Hnswlib,
}
