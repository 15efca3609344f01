"""
Measure one method at one size, in a process of its own.

`python -m tests.benchmarks.matching.cell FILE` reads what to do from its standard input as JSON and
writes what it found to the file, which appears when all is done.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.benchmarks.matching.corpus import Corpus, draw
from tests.benchmarks.matching.methods import METHODS, Method, Papers, Task

Order = dict[str, object]
Row = dict[str, object]

# Similarities closer than this count as equal, as where a build is audited.
TOLERANCE = 1e-6
# Ranks up to which the exact answer is kept, to tell how near neighbours are.
TRUTH_RANKS = 100
# What a product in float32 of two vectors of length one may be off by: Higham, Accuracy and
# Stability of Numerical Algorithms, section 3.1.
PRODUCT_ERROR = 2.5e-5
PEAK_SIZE = 3072


class Clock:
    """Adds up seconds on the wall and of the processor, under names."""

    def __init__(self) -> None:
        self.wall: dict[object, float] = defaultdict(float)
        self.processor: dict[object, float] = defaultdict(float)

    @contextlib.contextmanager
    def on(self, name: object) -> Iterator[None]:
        """Count what is done meanwhile under a name."""
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.wall[name] += time.perf_counter() - wall
        self.processor[name] += time.process_time() - processor


class Memory:
    """
    The largest memory of this process so far, in bytes.

    Attributes
    ----------
    resident
        All that was in memory, with pages of mapped files that the system may take back any time.
    own
        What was the process's own, looked at twenty times a second; None where the system does
        not tell.
    """

    def __init__(self) -> None:
        self.own: int | None = None
        self.resident = 0
        self._end = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Memory:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._watch.join()
        # Not ru_maxrss on Linux: it begins at the memory of the process that started this one.
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.resident = _told("VmHWM") or used * (1 if sys.platform == "darwin" else 1024)

    def _look(self) -> None:
        while not self._end.wait(0.05):
            now = _told("RssAnon")
            self.own = now if self.own is None else max(self.own, now or 0)


def _told(name: str) -> int | None:
    """Return bytes that the kernel tells of this process; None where it does not."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(found[0]) * 1024 if found else None


# --- which papers ---------------------------------------------------------------------------------


def thinned(rows: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return `count` of the rows, one of each of as many runs: every year has its share."""
    if count >= len(rows):
        return rows
    edges = np.linspace(0, len(rows), count + 1).astype(np.int64)
    return rows[np.random.default_rng(seed).integers(edges[:-1], edges[1:])]


def chosen(order: Order) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of the papers that are searched, and of those among them that are judged."""
    judged, seed = order["judged"], order["seed"]
    searched = thinned(np.arange(order["papers"]), max(order["searched"], judged), seed)
    return searched, thinned(searched, judged, seed)


# --- the exact answer -----------------------------------------------------------------------------


def exact_answer(corpus: Corpus, rows: np.ndarray, ranks: int) -> np.ndarray:
    """
    Return the similarities of the nearest patents of papers, float64[papers, ranks], NaN for none.

    By numpy alone: products in float32, then those that may count in float64. Takes the memory of
    the papers' scores for one block of patents, thrice.

    Raises
    ------
    RuntimeError
        When rounding may hide a neighbour.
    """
    queries, years, patents = corpus.papers.take(rows), corpus.papers.years[rows], corpus.patents
    wanted = min(ranks + 50, len(patents))
    scores = np.full((len(rows), 0), -np.inf, np.float32)
    places = np.zeros((len(rows), 0), np.int64)
    for first, vectors in patents.blocks():
        found = queries @ vectors.T
        later = patents.years[None, first : first + len(vectors)] >= years[:, None]
        found[~later] = -np.inf
        scores = np.concatenate([scores, found], axis=1)
        numbers = np.broadcast_to(np.arange(first, first + len(vectors)), found.shape)
        places = np.concatenate([places, numbers], axis=1)
        if scores.shape[1] > wanted:
            best = np.argpartition(scores, -wanted, axis=1)[:, -wanted:]
            scores, places = (np.take_along_axis(part, best, 1) for part in (scores, places))
    answer = np.full((len(rows), ranks), np.nan)
    for row, query in enumerate(queries):
        nearest = patents.take(places[row][scores[row] > -np.inf]).astype(np.float64)
        exact = np.sort(nearest @ query.astype(np.float64))[::-1][:ranks]
        hidden = scores[row].min() + 2 * PRODUCT_ERROR
        if wanted < len(patents) and len(exact) == ranks and hidden > exact[-1]:
            message = f"more than {wanted} patents are equally near to the paper of row {rows[row]}"
            raise RuntimeError(message)
        answer[row, : len(exact)] = exact
    return answer


# --- what a process does --------------------------------------------------------------------------


def measure_peak(order: Order) -> list[Row]:
    """Return the fastest of some large matrix products in each precision, 10^9 operations."""
    import torch

    torch.set_num_threads(order["threads"])
    operations = 2 * PEAK_SIZE**3 / 1e9
    rows = []
    for precision, kind in [("f32", torch.float32), ("bf16", torch.bfloat16)]:
        left, right = (torch.randn(PEAK_SIZE, PEAK_SIZE).to(kind) for _ in range(2))
        left @ right
        clock = Clock()
        for turn in range(5):
            with clock.on(turn):
                left @ right
        rows.append(
            {
                "precision": precision,
                "a_second": operations / min(clock.wall.values()),
                "a_processor_second": operations / min(clock.processor.values()),
            }
        )
    return rows


def prepare(order: Order) -> list[Row]:
    """Draw the corpus, find the exact answer for the papers to be judged, tell how near it is."""
    folder = Path(order["folder"])
    corpus = draw(folder, patents=order["patents"], papers=order["papers"], seed=order["seed"])
    _, judged = chosen(order)
    truth = exact_answer(corpus, judged, max(TRUTH_RANKS, order["count"]))
    np.savez(folder / "truth.npz", rows=judged, similarities=truth)
    mean = {f"similarity_{rank}": float(np.nanmean(truth[:, rank - 1])) for rank in (1, 10, 100)}
    return [{"pairs": int(corpus.eligible(corpus.papers.years).sum()), **mean}]


def measure(order: Order) -> list[Row]:
    """Run a method; return a row for each of its settings."""
    corpus = Corpus(Path(order["folder"]))
    kind = METHODS[order["method"]]
    rows_of = {setting: papers_given(kind, setting, order) for setting in kind.settings}
    clock, load = Clock(), [os.getloadavg()[0]]
    with Memory() as memory:
        method = kind(Task(corpus, order["count"], order["threads"], order["settings"]))
        found = sweep(method, rows_of, clock)
    load.append(os.getloadavg()[0])
    rows = []
    for setting, positions in found.items():
        given = rows_of[setting]
        rows.append(
            {
                "setting": setting,
                "is_default": setting == kind.default,
                "used": method.used,
                "papers_searched": len(given),
                "pairs_searched": int(corpus.eligible(corpus.papers.years[given]).sum()),
                "build_seconds": clock.wall["build"],
                "build_processor_seconds": clock.processor["build"],
                "search_seconds": clock.wall[setting],
                "search_processor_seconds": clock.processor[setting],
                "resident_bytes": memory.resident,
                "own_bytes": memory.own,
                "load": sum(load) / 2,
                **judgement(corpus, given, positions, order["count"], kind.finds_one),
            }
        )
    return rows


def papers_given(kind: type[Method], setting: int | None, order: Order) -> np.ndarray:
    """Return the rows of papers that a method is given with a setting, int64[papers]."""
    if kind.is_ours and setting == kind.default:
        return np.arange(order["papers"])
    searched, judged = chosen(order)
    if kind.papers_at_most is not None:
        return thinned(judged, kind.papers_at_most, order["seed"])
    return searched


def sweep(
    method: Method, rows_of: dict[int | None, np.ndarray], clock: Clock
) -> dict[int | None, np.ndarray]:
    """Run a method, counting building and every setting apart; return patents of each paper."""
    corpus = method.task.corpus
    years = corpus.papers.years
    method.load()
    with clock.on("build"):
        method.prepare()
    found = {
        setting: np.full((len(rows), method.task.count), -1) for setting, rows in rows_of.items()
    }
    for year in np.unique(years)[::-1] if method.by_year else [years[-1]]:
        end = int(corpus.eligible(year))
        if not end:
            continue
        with clock.on("build"):
            method.grow(end)
        for setting, rows in rows_of.items():
            here = np.flatnonzero(years[rows] == year) if method.by_year else np.arange(len(rows))
            if len(here):
                papers = Papers.read(corpus.papers, rows[here])
                with clock.on(setting):
                    answer = method.search(papers, setting)
                positions = method.positions(answer, papers)
                found[setting][here, : positions.shape[1]] = positions
    return found


def judgement(
    corpus: Corpus, rows: np.ndarray, positions: np.ndarray, count: int, finds_one: bool
) -> Row:
    """
    Judge what was found: years of all papers, recall of those whose exact answer is known.

    A patent is a hit when it is as similar as the last of the exact answer, and counts once.
    """
    filled = positions >= 0
    years = corpus.patents.years[np.where(filled, positions, 0)]
    earlier = filled & (years < corpus.papers.years[rows][:, None])
    with np.load(corpus.folder / "truth.npz") as truth:
        judged, places, of_truth = np.intersect1d(rows, truth["rows"], return_indices=True)
        answers = truth["similarities"][of_truth, :count]
    first, among = [], []
    for place, query, answer in zip(places, corpus.papers.take(judged), answers, strict=True):
        exact = answer[np.isfinite(answer)]
        if not len(exact):
            continue
        patents = corpus.patents.take(np.unique(positions[place][filled[place]]))
        similarities = patents.astype(np.float64) @ query.astype(np.float64)
        first.append(similarities.max(initial=-1) >= exact[0] - TOLERANCE)
        hits = np.count_nonzero(similarities >= exact[-1] - TOLERANCE)
        among.append(min(hits, len(exact)) / len(exact))
    return {
        "papers_judged": len(first),
        "recall_at_1": float(np.mean(first)) if first else None,
        "recall_at_k": float(np.mean(among)) if first and not finds_one else None,
        "year_violations": int(earlier.sum()),
    }


ACTIONS = {"peak": measure_peak, "corpus": prepare, "method": measure}


def main() -> None:
    """Do what standard input tells."""
    order = json.load(sys.stdin)
    rows = ACTIONS[order["action"]](order)
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    order.pop("folder", None)  # it may be moved
    partial.write_text(json.dumps({"order": order, "rows": rows}, indent=1))
    partial.replace(path)


if __name__ == "__main__":
    main()
