"""Walk through the years of a corpus: score each by the years before it, then learn it."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_steps.engine import files
from python_steps.novelty.block_model import NEVER, BlockModel
from python_steps.novelty.hyperedges import Hyperedges
from python_steps.novelty.settings import Settings, version


@dataclass(frozen=True, eq=False)
class Step:
    """
    A year of a corpus, and what was known before it.

    Attributes
    ----------
    year
        The year.
    rows
        int64[documents], their rows in the table, in the order of `hyperedge_id`.
    hyperedges
        Their nodes, in the same order.
    model
        What was known before the year; None in the burn-in. It learns the year when the next step
        is asked for, so use it before.
    """

    year: int
    rows: np.ndarray
    hyperedges: Hyperedges
    model: BlockModel | None


def walk(
    table: pa.Table, settings: Settings, states: Path | None = None, corpus: str = ""
) -> Iterator[Step]:
    """
    Go through the years of a corpus in order, and learn each after it was looked at.

    Memory and cost are those of :mod:`block_model`; the table's nodes are held once more, and a
    fit holds those of all years so far.

    Parameters
    ----------
    table
        All rows of a corpus in any order: columns `hyperedge_id` (text, unique), `year` (integer),
        `nodes` (list of integers) and `weight` (number above zero).
    settings
        What decides the scores.
    states
        Folder that keeps what was learned of each year; None: nothing is kept. A year is read
        from its file instead of learned, to the same bits, if that file is of the same documents
        in it and in all years before. A file takes 4 * K bytes for each node active in its year,
        or in any year so far where these were fitted together.
    corpus
        Names the corpus in the names of the files.

    Yields
    ------
    Step
        One for each year with documents.

    Raises
    ------
    ValueError
        When an id, a year, a node or a weight is missing or impossible, or a hyperedge comes twice
        in a year.
    """
    order, years = _by_year(table)
    hyperedges = Hyperedges.from_arrow(
        table.column("nodes"), table.column("weight"), most_nodes=settings.most_nodes
    ).take(order)
    kept = _States(Path(states), corpus, settings) if states else None
    known = _Known(hyperedges, years, settings)
    ends = np.flatnonzero(np.diff(years, append=NEVER)) + 1
    for start, end in itertools.pairwise([0, *ends.tolist()]):
        year, rows = int(years[start]), order[start:end]
        of_year = hyperedges.take(np.arange(start, end))
        yield Step(year, rows, of_year, known.model)
        if kept:
            kept.follow(year, table.column("hyperedge_id").take(pa.array(rows)), of_year)
        known.learn(of_year, end, kept)


class _Known:
    """What is known of a corpus after the years learned so far; hyperedges come by year."""

    def __init__(self, hyperedges: Hyperedges, years: np.ndarray, settings: Settings) -> None:
        self.model: BlockModel | None = None
        self._hyperedges, self._years, self._settings = hyperedges, years, settings
        self._documents = self._fitted = 0.0  # that can be learned from: so far, at the last fit

    def learn(self, of_year: Hyperedges, end: int, kept: _States | None) -> None:
        """Learn the next year, or read it; its hyperedges end before `end`."""
        self._documents += float(of_year.weights[of_year.sizes >= 2].sum())
        is_fit = self._settings.is_to_be_fitted(self._documents, self._fitted)
        if not is_fit and self.model is None:  # burn-in
            return
        year = int(self._years[end - 1])
        changes = kept.read() if kept else None
        if is_fit:
            self._fitted = self._documents
            self.model = self._fit(end, changes)
        elif changes is None:
            self.model.learn(of_year, year)
        else:
            self.model.restore(changes, of_year, year)
        if kept and changes is None:
            kept.write(self.model.changes())

    def _fit(self, end: int, changes: dict[str, np.ndarray] | None) -> BlockModel:
        """Return a model of all years so far, fitted together, with room for later nodes."""
        past = self._hyperedges.take(np.arange(end))
        if changes is None:
            model = BlockModel.fit(past, self._years[:end], self._settings)
        else:
            year = int(self._years[end - 1])
            model = BlockModel(self._settings, changes["counts"].shape[1], year)
            model.restore(changes, past, year)
        model.reserve(int(self._hyperedges.nodes.max(initial=-1)) + 1)
        return model


def _by_year(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows ordered by year and `hyperedge_id`, and their years."""
    for name in ("year", "hyperedge_id"):
        if table.column(name).null_count:
            message = f"{table.column(name).null_count} hyperedges have no {name}"
            raise ValueError(message)
    keys = table.select(["year", "hyperedge_id"])
    by = [("year", "ascending"), ("hyperedge_id", "ascending")]
    order = pc.sort_indices(keys, sort_keys=by).to_numpy().astype(np.int64)
    years = table.column("year").cast(pa.int64()).to_numpy()[order]
    names = table.column("hyperedge_id").take(pa.array(order)).combine_chunks()
    if len(order) > 1:
        twice = pc.equal(names[1:], names[:-1]).to_numpy(zero_copy_only=False)
        twice &= years[1:] == years[:-1]
        if twice.any():
            message = f"the hyperedge {names[int(np.argmax(twice))]} comes twice in a year"
            raise ValueError(message)
    return order, years


class _States:
    """Files of what was learned of each year of a corpus, named by all that has decided it."""

    def __init__(self, folder: Path, corpus: str, settings: Settings) -> None:
        self.folder, self.corpus, self.settings = folder, corpus or "corpus", settings
        self.year = 0
        self.digest = hashlib.blake2b(version(settings).encode()).digest()

    @property
    def path(self) -> Path:
        """The file of the year."""
        return self.folder / f"{self._beginning}{self.digest.hex()[:12]}.safetensors"

    @property
    def _beginning(self) -> str:
        return f"{self.corpus}_{self.year}_"

    def follow(self, year: int, names: pa.ChunkedArray, hyperedges: Hyperedges) -> None:
        """Go on to a year: its documents join all that decides what is known after it."""
        digest = hashlib.blake2b(self.digest)
        texts = [name.encode() for name in names.to_pylist()]
        for values in (
            np.array([year, len(texts)]),
            np.array([len(text) for text in texts]),
            np.frombuffer(b"".join(texts), np.uint8),
            hyperedges.offsets,
            hyperedges.nodes,
            hyperedges.weights,
        ):
            digest.update(np.ascontiguousarray(values))
        self.year, self.digest = year, digest.digest()

    def read(self) -> dict[str, np.ndarray] | None:
        """Return what the year has changed; None without a whole file of it."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, framework="np") as file:
                metadata = file.metadata() or {}
                changes = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, ValueError, SafetensorError):
            return None
        # All of the digest, of which the name holds a part; and a disk may lose what was written.
        wanted = {"digest": self.digest.hex(), "content": _content(changes)}
        return changes if wanted.items() <= metadata.items() else None

    def write(self, changes: dict[str, np.ndarray]) -> None:
        """Keep what the year has changed, and remove what is kept of other documents of it."""
        from safetensors.numpy import save

        metadata = {
            "corpus": self.corpus,
            "year": str(self.year),
            "model_version": version(self.settings),
            "settings": json.dumps(asdict(self.settings), sort_keys=True),
            "digest": self.digest.hex(),
            "content": _content(changes),
        }
        with files.aside(self.folder, "novelty") as path:
            path.write_bytes(save(changes, metadata))
            self.path.unlink(missing_ok=True)  # it is torn, or it would have been read
            files.settle(path, self.path)
        for other in self.folder.iterdir():
            is_of_year = other.name.startswith(self._beginning) and other.suffix == ".safetensors"
            is_left_over = other.name.endswith(".novelty.partial") and _age(other) > 3600
            if (is_of_year and other != self.path) or is_left_over:
                other.unlink(missing_ok=True)


def _age(path: Path) -> float:
    """Return the seconds since a file was written; none where it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _content(tensors: dict[str, np.ndarray]) -> str:
    """Return a name for the values of tensors."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].shape}".encode())
        digest.update(np.ascontiguousarray(tensors[name]))
    return digest.hexdigest()
