"""
Compare drawn vectors with those of a warehouse: `python -m tests.benchmarks.matching.realism`.

What makes matching hard or easy is how near neighbours are, how fast their number grows with
distance, and how uneven the number of papers is that a patent is near to.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import numpy as np

from tests.benchmarks.matching.cell import thinned
from tests.benchmarks.matching.corpus import WIDTH, draw

Vectors = tuple[np.ndarray, np.ndarray]

MOST_PATENTS, MOST_PAPERS = 100_000, 8000
RANKS = 100
PAPERS_PER_BLOCK = 256


def figures(papers: Vectors, patents: Vectors) -> dict[str, float]:
    """
    Describe the nearest patents of papers, of their year or later.

    Parameters
    ----------
    papers, patents
        float32[documents, WIDTH] of length one, and int[documents] years.

    Returns
    -------
    dict[str, float]
        Mean and spread of the similarity at ranks 1, 10 and 100, and of random pairs; the local
        intrinsic dimension, the median of the maximum likelihood estimate from ranks 10 to 100
        (Levina and Bickel 2004); the skewness of how many papers have a patent among their ten
        (Radovanović et al. 2010), and the share of patents that none has.
    """
    vectors, years = patents
    ranks = min(RANKS, len(vectors))
    similarities, nearest = [], []
    for start in range(0, len(papers[0]), PAPERS_PER_BLOCK):
        queries, of = (part[start : start + PAPERS_PER_BLOCK] for part in papers)
        scores = queries @ vectors.T
        scores[years[None, :] < of[:, None]] = -np.inf
        best = np.argpartition(scores, -ranks, axis=1)[:, -ranks:]
        values = np.take_along_axis(scores, best, 1)
        order = np.argsort(-values, axis=1)
        similarities.append(np.take_along_axis(values, order, 1))
        nearest.append(np.take_along_axis(best, order, 1)[:, :10])
    values, places = np.concatenate(similarities), np.concatenate(nearest)
    whole = np.isfinite(values).all(axis=1)
    values, places = values[whole].astype(np.float64), places[whole]
    distances = np.sqrt(np.maximum(2 - 2 * values, 1e-12))
    dimension = 1 / np.log(distances[:, -1:] / distances[:, 9:-1]).mean(axis=1)
    held = np.bincount(places.reshape(-1), minlength=len(vectors))
    random = np.random.default_rng(0)
    left, right = (random.integers(0, len(side[0]), 20_000) for side in (papers, patents))
    pairs = np.einsum("ij,ij->i", papers[0][left], vectors[right])
    found = {}
    for rank in (1, 10, ranks):
        found[f"similarity at rank {rank}"] = values[:, rank - 1].mean()
        found[f"its spread at rank {rank}"] = values[:, rank - 1].std()
    found["similarity of random pairs"], found["its spread"] = pairs.mean(), pairs.std()
    found["intrinsic dimension"] = np.median(dimension)
    found["skewness of hubs"] = ((held - held.mean()) ** 3).mean() / held.std() ** 3
    found["patents near to no paper"] = np.mean(held == 0)
    return {name: float(value) for name, value in found.items()}


def of_warehouse(warehouse: Path, space: str) -> tuple[Vectors, Vectors]:
    """Read papers and patents of a space, no more than are compared."""
    import duckdb

    sides = []
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for kind, most in [("paper", MOST_PAPERS), ("patent", MOST_PATENTS)]:
            rows = connection.sql(
                "select embedding, year from intermediate.int_documents_searched"
                " where space = ? and document_type = ? and year is not null"
                " order by hash(document_id), document_id limit ?",
                params=[space, kind, most],
            ).to_arrow_table()
            if not rows.num_rows:
                message = f"{warehouse} has no {kind}s with vectors of {space}"
                raise click.UsageError(message)
            flat = rows.column("embedding").combine_chunks().flatten().to_numpy()
            vectors = flat.reshape(-1, WIDTH).astype(np.float32)
            sides.append((vectors, rows.column("year").to_numpy()))
    return sides[0], sides[1]


def of_drawing(papers: int, patents: int, seed: int) -> tuple[Vectors, Vectors]:
    """Draw as many."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = draw(Path(folder), patents=patents, papers=papers, seed=seed)
        sides = [(side.read(0, len(side)), side.years) for side in (corpus.papers, corpus.patents)]
    return sides[0], sides[1]


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.argument("warehouse", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--space", default="title_abstract", help="Or keywords: what was embedded.")
@click.option("--seed", type=int, default=0, help="Another one draws other vectors.")
def main(warehouse: Path, space: str, seed: int) -> None:
    """Compare drawn vectors with those of WAREHOUSE, with all patents and with a sixteenth."""
    papers, patents = of_warehouse(warehouse, space)
    drawn = of_drawing(len(papers[0]), len(patents[0]), seed)
    click.echo("| | patents | warehouse | drawn |\n| --- | --- | --- | --- |")
    for share in (1, 16):
        number = len(patents[0]) // share
        sides = []
        for asked, found in [(papers, patents), drawn]:
            rows = thinned(np.argsort(-found[1], kind="stable"), number, seed)
            sides.append(figures(asked, (found[0][rows], found[1][rows])))
        for name, value in sides[0].items():
            click.echo(f"| {name} | {number} | {value:.3f} | {sides[1][name]:.3f} |")


if __name__ == "__main__":
    main()
