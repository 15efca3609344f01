"""Exact search: nothing that belongs to the answer is lost, in any precision, order or cutting."""

import numpy as np
import pytest

from python_steps.similarity import exact_search
from python_steps.similarity.exact_search import Shape

WIDTH = 40


def unit(vectors):
    vectors = np.asarray(vectors, np.float64)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def draw(rows, *, seed, shift=0.0):
    return unit(np.random.default_rng(seed).normal(size=(rows, WIDTH)) + shift)


def found(queries, vectors, *, count, precision, cut=128, descending=False, least=None):
    starts = range(0, len(vectors), cut)
    tiles = [
        (
            start,
            exact_search.tile(vectors[start : start + cut], precision=precision, device="cpu"),
        )
        for start in (reversed(starts) if descending else starts)
    ]
    return exact_search.candidates(
        queries, tiles, count=count, precision=precision, device="cpu", least=least
    )


def nearest(queries, vectors, count):
    """Say in double precision which vectors are as similar as the last one wanted."""
    similarities = queries.astype(np.float64) @ vectors.T.astype(np.float64)
    least = -np.sort(-similarities, axis=1)[:, min(count, len(vectors)) - 1]
    return [set(np.flatnonzero(row)) for row in similarities >= least[:, None]]


@pytest.fixture(params=["f32", "bf16"])
def precision(request):
    return request.param


@pytest.mark.parametrize("count", [1, 7, 90])
@pytest.mark.parametrize("cut", [64, 100, 4096])
@pytest.mark.parametrize("shift", [0.0, 0.6])
@pytest.mark.parametrize("descending", [False, True])
def test_all_that_is_nearest_is_found(precision, count, cut, shift, descending, monkeypatch):
    monkeypatch.setitem(exact_search.SHAPES, "cpu", Shape(13, cut))
    queries, vectors = draw(30, seed=1, shift=shift), draw(1500, seed=2, shift=shift)
    rows, positions, scores = found(
        queries, vectors, count=count, precision=precision, cut=cut, descending=descending
    )
    for row, expected in enumerate(nearest(queries, vectors, count)):
        assert expected <= set(positions[rows == row])
    assert (np.diff(rows) >= 0).all()
    assert len(set(zip(rows, positions, strict=True))) == len(rows)
    exact = (queries[rows].astype(np.float64) * vectors[positions]).sum(axis=1)
    assert np.abs(scores - exact).max() < (1e-6 if precision == "f32" else 0.02)


@pytest.mark.parametrize("shift", [0.0, 0.6])
@pytest.mark.parametrize("known", [30, 20])
def test_nothing_is_lost_that_is_as_similar_as_the_least_wanted(
    precision, shift, known, monkeypatch
):
    monkeypatch.setitem(exact_search.SHAPES, "cpu", Shape(13, 100))
    queries, vectors = draw(30, seed=1, shift=shift), draw(1500, seed=2, shift=shift)
    similarities = queries.astype(np.float64) @ vectors.T.astype(np.float64)
    least = np.full(30, -np.inf, np.float32)
    # Of the first the fourth, of the second the fifth and so on is the least that is wanted.
    for row in range(known):
        least[row] = np.float32(-np.sort(-similarities[row])[3 + row % 5])
    rows, positions, _ = found(
        queries, vectors, count=10, precision=precision, cut=100, least=least
    )
    some = 0
    for row, expected in enumerate(nearest(queries, vectors, 10)):
        wanted = {each for each in expected if np.float32(similarities[row, each]) >= least[row]}
        assert wanted <= set(positions[rows == row])
        some += len(wanted)
    assert some == sum(4 + row % 5 for row in range(known)) + 10 * (30 - known)
    whole, _, _ = found(queries, vectors, count=10, precision=precision, cut=100)
    assert len(rows) < len(whole)


def test_nothing_is_found_where_nothing_is_similar_enough(precision):
    queries, vectors = draw(5, seed=1), draw(300, seed=2)
    least = np.full(5, 0.99, np.float32)
    rows, positions, scores = found(queries, vectors, count=3, precision=precision, least=least)
    assert not len(rows) and not len(positions) and not len(scores)


def test_little_else_is_found(precision):
    queries, vectors = draw(50, seed=3, shift=0.5), draw(20_000, seed=4, shift=0.5)
    rows, _, _ = found(queries, vectors, count=10, precision=precision, cut=4096)
    assert len(rows) <= (11 if precision == "f32" else 30) * len(queries)


def test_what_rounding_cannot_tell_apart_is_all_kept(precision):
    random = np.random.default_rng(5)
    one = random.normal(size=WIDTH)
    vectors = unit(one + 1e-4 * random.normal(size=(700, WIDTH)))
    queries = unit(one + 0.3 * random.normal(size=(9, WIDTH)))
    rows, positions, _ = found(queries, vectors, count=5, precision=precision)
    for row, expected in enumerate(nearest(queries, vectors, 5)):
        assert expected <= set(positions[rows == row])


def test_equal_vectors_are_all_kept(precision):
    vectors = np.repeat(draw(3, seed=6), 200, axis=0)
    rows, _, _ = found(vectors[:1], vectors, count=4, precision=precision)
    assert len(rows) >= 200


def test_vectors_that_point_away_are_found_too(precision):
    queries = draw(4, seed=7, shift=2.0)
    vectors = -draw(900, seed=8, shift=2.0)
    rows, positions, scores = found(queries, vectors, count=6, precision=precision)
    assert (scores < 0).all()
    for row, expected in enumerate(nearest(queries, vectors, 6)):
        assert expected <= set(positions[rows == row])


@pytest.mark.parametrize("vectors", [0, 1, 5, 63, 65])
def test_where_there_are_few_vectors_all_are_found(precision, vectors):
    queries, few = draw(3, seed=9), draw(vectors, seed=10)
    rows, positions, _ = found(queries, few, count=70, precision=precision)
    assert sorted(zip(rows, positions, strict=True)) == [
        (row, place) for row in range(3) for place in range(vectors)
    ]


def test_a_few_vectors_first_and_many_later_are_searched_as_one(precision):
    queries, vectors = draw(20, seed=11), draw(1000, seed=12)
    tiles = [
        (start, exact_search.tile(vectors[start:end], precision=precision, device="cpu"))
        for start, end in [(0, 3), (3, 70), (70, 1000)]
    ]
    rows, positions, _ = exact_search.candidates(
        queries, tiles, count=8, precision=precision, device="cpu"
    )
    for row, expected in enumerate(nearest(queries, vectors, 8)):
        assert expected <= set(positions[rows == row])


def test_no_queries_find_nothing(precision):
    rows, positions, scores = found(draw(0, seed=1), draw(9, seed=2), count=2, precision=precision)
    assert len(rows) == len(positions) == len(scores) == 0


def test_a_part_of_a_tile_holds_its_vectors(precision):
    vectors = draw(200, seed=13)
    whole = exact_search.tile(vectors, precision=precision, device="cpu")
    part = whole.part(70, 150)
    assert part.count == 80
    assert len(part.vectors) % exact_search.SCORES_PER_GROUP == 0
    np.testing.assert_allclose(part.vectors[:80].float().numpy(), vectors[70:150], atol=0.01)
    assert whole.part(0, 200) is whole


def test_the_error_of_a_tile_is_the_largest_distance_to_what_was_rounded():
    vectors = draw(300, seed=14)
    rounded = exact_search.tile(vectors, precision="bf16", device="cpu")
    distances = np.linalg.norm(vectors - rounded.vectors[:300].float().numpy(), axis=1)
    assert rounded.error == pytest.approx(distances.max())
    assert 0 < rounded.error < 2**-8
    assert exact_search.tile(vectors, precision="f32", device="cpu").error == 0


def test_a_later_tile_may_be_rounded_worse():
    # Vectors that bf16 holds as they are, at similarity .3125; then one at .31252 that rounding
    # takes to .3087: negative numbers away from zero, positive ones towards it.
    width, place = 256, 2.0**-4
    query = np.full((1, width), place, np.float32)
    held = np.where(np.arange(width) < 168, place, -place).astype(np.float32)
    nearer = np.where(
        np.arange(width) < 86, -place * (1 + 2**-8 * 1.005), place * (1 + 2**-8 * 0.995)
    )
    nearer[252:] = nearer[252] - 0.0099, 0, 0, 0
    nearer[253] = -np.sqrt(1 - (nearer**2).sum())
    nearer = nearer.astype(np.float32)
    similarities = [float(query[0].astype(float) @ each) for each in (held, nearer)]
    assert similarities[0] < similarities[1] < similarities[0] + 1e-4
    tiles = [
        (start, exact_search.tile(vectors, precision="bf16", device="cpu"))
        for start, vectors in [(0, np.stack([held] * 64)), (64, nearer[None])]
    ]
    assert tiles[0][1].error == 0 < tiles[1][1].error
    for order in (tiles, tiles[::-1]):
        _, positions, _ = exact_search.candidates(
            query, order, count=10, precision="bf16", device="cpu"
        )
        assert 64 in positions
