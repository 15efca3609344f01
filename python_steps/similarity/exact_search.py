"""
Find, for each query, every vector that may be among its nearest, by matrix products.

Products in bf16 are an order of magnitude faster than in float32 where the processor has matrix
units, and wrong in the third digit. They need not be right: what rounding could hide is kept, and
nothing else. Whoever compares what is kept once more, in full precision, has the exact answer, on
any processor and in any precision the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import torch


SCORES_PER_GROUP = 64


# Found and not yet sorted out, for each query: more cost memory, fewer cost sorting.
PENDING_PER_QUERY = 48


# Half a unit in the last place of bf16 at one half to one.
ROUNDING_OF_BF16 = 2.0**-9


# Vectors of length one may be a little longer: embedding.LENGTH_TOLERANCE, for both of a pair.
LENGTH_ROOM = 1.01


class Shape(NamedTuple):
    """How many queries and vectors one matrix product takes."""

    queries: int
    vectors: int


# Scores of a product are read again at once: on a processor they should not leave its cache, on a
# GPU a product should last longer than its launch.
SHAPES = {"cpu": Shape(1024, 4096), "cuda": Shape(8192, 65_536)}


def shape(device: str) -> Shape:
    """Return the shape of a product on a device, as torch names it."""
    return SHAPES["cuda" if device.startswith("cuda") else "cpu"]


class Tile(NamedTuple):
    """
    Vectors of one matrix product.

    Attributes
    ----------
    vectors
        float32 or bfloat16[rows, width]; zeros fill the last group.
    count
        Rows before what is filled.
    error
        The largest distance between a vector and what it was rounded to.
    """

    vectors: torch.Tensor
    count: int
    error: float

    def part(self, begin: int, end: int) -> Tile:
        """Return some of the vectors, from `begin` to before `end`."""
        if (begin, end) == (0, self.count):
            return self
        return _filled(self.vectors[begin:end], self.error)

    @property
    def bytes(self) -> int:
        """Memory that the vectors take."""
        return self.vectors.nbytes


def tile(vectors: np.ndarray, *, precision: str, device: str) -> Tile:
    """Round vectors of length one, float32[rows, width], to a precision (f32 or bf16)."""
    import torch

    exact = torch.from_numpy(np.ascontiguousarray(vectors)).to(device)
    rounded, error = _rounded(exact, precision)
    return _filled(rounded, float(error.max()) if len(error) else 0.0)


def candidates(
    queries: np.ndarray,
    tiles: Iterable[tuple[int, Tile]],
    *,
    count: int,
    precision: str,
    device: str,
    least: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Return at least the `count` nearest vectors of each query, and few that are not.

    A score differs from the similarity by at most ``|q - q'| |p'| + |q| |p - p'|`` (Cauchy and
    Schwarz; q' and p' are what q and p were rounded to), by the error of the product itself, and by
    the rounding of the score. Twice that below the `count`-th highest score lies nothing that
    could be among the `count` nearest. Costs `queries` times `vectors` times `width` products, and
    one look at the highest of each 64 scores.

    Parameters
    ----------
    queries
        float32[queries, width], of length one.
    tiles
        Position of the first vector, and the vectors. Any order and any cutting keep all that
        belongs to the answer; it is fastest where near vectors come early.
    count
        How many nearest vectors are wanted; all, where there are fewer.
    precision
        ``f32`` or ``bf16``: that of the tiles.
    device
        As torch names it: that of the tiles.
    least
        float32[queries], the similarity below which nothing is wanted, however near it is beside
        the others; minus infinity for none. The higher, the fewer vectors are looked at.

    Returns
    -------
    tuple[np.ndarray, np.ndarray, np.ndarray]
        Rows of queries, ascending, positions of vectors, int64[found], and their scores,
        float32[found], from the highest of each query. For each query at least `count`, or as
        many as there are, of those that are as similar as `least`. Memory is for about 50 a
        query, and for all that rounding cannot tell from the last one wanted: many where many
        vectors are equal.
    """
    import torch

    most = shape(device).queries
    blocks = []
    for start in range(0, len(queries), most):
        exact = torch.from_numpy(np.ascontiguousarray(queries[start : start + most])).to(device)
        rounded, error = _rounded(exact, precision)
        reached = torch.full((len(exact),), -torch.inf)
        if least is not None:
            reached = torch.tensor(least[start : start + most], dtype=torch.float32)
        blocks.append(_Block(rounded, error, reached.to(device), count, precision))
    with _exact_sums():
        for first, each in tiles:
            for block in blocks:
                block.look(first, each)
    found = [block.found() for block in blocks] or [_nothing()]
    rows = [rows + most * number for number, (rows, _, _) in enumerate(found)]
    return (
        np.concatenate(rows),
        np.concatenate([positions for _, positions, _ in found]),
        np.concatenate([scores for _, _, scores in found]),
    )


class _Block:
    """Queries of one matrix product, and what was found for them so far."""

    def __init__(
        self,
        queries: torch.Tensor,
        error: torch.Tensor,
        reached: torch.Tensor,
        count: int,
        precision: str,
    ) -> None:
        import torch

        self._queries = queries
        self._error = error
        self._count = count
        self._is_rounded = precision == "bf16"
        self._reached = self._lowest = reached
        self._is_settled = bool(torch.isfinite(reached).all())
        self._margin = torch.zeros_like(self._reached)
        self._found: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        self._pending = 0
        self._buffer: torch.Tensor | None = None

    def look(self, first: int, tile: Tile) -> None:
        """Keep what may be among the nearest; `first` is the position of the first vector."""
        import torch

        scores = self._scores(tile.vectors)
        if tile.count < scores.shape[1]:
            scores[:, tile.count :] = -torch.inf
        # The largest that any tile had, since the bound is for vectors of all of them.
        margin = 2 * LENGTH_ROOM * (self._error * (1 + tile.error) + tile.error)
        margin += 2 * product_error(tile.vectors.shape[1]) + self._is_rounded * ROUNDING_OF_BF16
        self._margin = torch.maximum(self._margin, margin)
        self._lowest = self._reached - self._margin
        highest = self._highest(scores)
        if not self._is_settled:
            self._settle(scores, highest, tile.count)
        lowest = self._lowest.to(scores.dtype)  # rounding keeps the order
        rows, groups = torch.nonzero(highest >= lowest[:, None], as_tuple=True)
        inside = scores.view(len(scores), -1, SCORES_PER_GROUP)[rows, groups]
        # What fills a tile is no vector.
        is_hit = (inside >= lowest[rows, None]) & (inside > -torch.inf)
        hits, places = torch.nonzero(is_hit, as_tuple=True)
        positions = first + groups[hits] * SCORES_PER_GROUP + places
        self._found.append((rows[hits], positions, inside[hits, places].float()))
        self._pending += len(hits)
        if self._pending > PENDING_PER_QUERY * len(scores):
            self._sort_out()

    def found(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows, ascending, positions, and scores."""
        if not self._found:
            return _nothing()
        self._sort_out()
        rows, positions, values = self._found[0]
        return rows.cpu().numpy(), positions.cpu().numpy(), values.cpu().numpy()

    def _scores(self, vectors: torch.Tensor) -> torch.Tensor:
        import torch

        shape = len(self._queries), len(vectors)
        # One place for all scores: fresh memory would cost as much as the product.
        if self._buffer is None or len(self._buffer) < shape[0] * shape[1]:
            self._buffer = self._queries.new_empty(shape[0] * shape[1])
        scores = self._buffer[: shape[0] * shape[1]].view(shape)
        return torch.mm(self._queries, vectors.T, out=scores)

    def _highest(self, scores: torch.Tensor) -> torch.Tensor:
        """Return the highest score of each group, [queries, groups]."""
        import torch

        if self._is_settled and self._is_rounded and bool((self._lowest > 0).all()):
            # Bits of positive floats order as integers, which are compared four times as fast; a
            # group without a positive score comes out negative, and is below what is looked for.
            grouped = scores.view(torch.int16).view(len(scores), -1, SCORES_PER_GROUP)
            return grouped.amax(dim=2).view(torch.bfloat16)
        return scores.view(len(scores), -1, SCORES_PER_GROUP).amax(dim=2)

    def _settle(self, scores: torch.Tensor, highest: torch.Tensor, vectors: int) -> None:
        """Say what is too low from the first tile that has enough vectors."""
        if vectors < self._count:
            return
        # The highest of as many groups are as many scores, if seldom the highest.
        of = highest if highest.shape[1] >= 2 * self._count else scores
        self._raise(of.topk(self._count, dim=1).values[:, -1].float())
        self._is_settled = True

    def _raise(self, reached: torch.Tensor) -> None:
        import torch

        # Above one, only by rounding, half a unit is more than the margin holds.
        self._reached = torch.maximum(self._reached, reached.clamp(max=1))
        self._lowest = self._reached - self._margin

    def _sort_out(self) -> None:
        """Leave only what may be among the nearest of all that was found, in order."""
        import torch

        rows, positions, values = (torch.cat(parts) for parts in zip(*self._found, strict=True))
        order = torch.argsort(values, descending=True, stable=True)
        order = order[torch.argsort(rows[order], stable=True)]
        rows, positions, values = rows[order], positions[order], values[order]
        found = torch.bincount(rows, minlength=len(self._queries))
        last = torch.cumsum(found, 0) - found + self._count - 1
        enough = found >= self._count
        reached = torch.full_like(self._reached, -torch.inf)
        reached[enough] = values[last[enough]]
        self._raise(reached)
        # Rounded as where they are looked for: what lies between is not lost by half.
        lowest = self._lowest.to(self._queries.dtype).float()
        kept = values >= lowest[rows]
        self._found = [(rows[kept], positions[kept], values[kept])]
        self._pending = 0


def product_error(width: int) -> float:
    """
    Bound the error of a product of two vectors of length one that is summed in float32.

    Whatever the order of the sums it is at most width * u / (1 - width * u), u a unit in the last
    place, as some processors cut instead of rounding (Higham, Accuracy and Stability of Numerical
    Algorithms, section 3.1); lengths within the tolerance of one and the rounding of the final
    similarity are allowed for.
    """
    unit = 2.0**-23
    return LENGTH_ROOM * width * unit / (1 - width * unit) + 2 * unit


def _nothing() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)


def _rounded(exact: torch.Tensor, precision: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return vectors in a precision, and how far each is from what it was, float32[rows]."""
    import torch

    if precision == "f32":
        return exact, torch.zeros(len(exact), device=exact.device)
    rounded = exact.bfloat16()
    return rounded, torch.linalg.vector_norm(exact - rounded.float(), dim=1)


def _filled(vectors: torch.Tensor, error: float) -> Tile:
    """Fill the last group of vectors with zeros."""
    import torch

    missing = -len(vectors) % SCORES_PER_GROUP
    count = len(vectors)
    if missing:
        vectors = torch.cat([vectors, vectors.new_zeros(missing, vectors.shape[1])])
    return Tile(vectors, count, error)


@contextlib.contextmanager
def _exact_sums() -> Iterator[None]:
    """Sum in float32 on a GPU too, as the bound of the error assumes."""
    import torch

    settings = torch.backends.cuda.matmul
    before = settings.allow_tf32, settings.allow_bf16_reduced_precision_reduction
    settings.allow_tf32, settings.allow_bf16_reduced_precision_reduction = False, False
    try:
        yield
    finally:
        settings.allow_tf32, settings.allow_bf16_reduced_precision_reduction = before
