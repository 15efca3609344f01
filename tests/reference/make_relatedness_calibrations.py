"""
Make the seed `relatedness_calibrations` from pairs that were graded by reading both texts.

    python -m tests.reference.make_relatedness_calibrations ENCODER_HASH

The pairs are `pairs_graded` of the real data: published pairs of one build, all ten patents of each
paper, with the similarity and the word score that the build gave them. ENCODER_HASH is that of the
encoder which made the vectors (the second part of its `model_version`). For multilingual-e5-small
the texts are embedded here.
"""

import csv
import sys

import duckdb
import numpy as np

from python_steps.embeddings.encoder import Encoder, load_encoder
from python_steps.similarity.relatedness import LEVELS, Relatedness, fit
from tests import real_data
from tests.small_warehouse import PROJECT

SEED = PROJECT / "seeds/reference/relatedness_calibrations.csv"
BASES = {"similarity and words": True, "similarity": False}
SOURCE = "{pairs} pairs of {papers} papers, ten patents each, graded by reading both texts"


def graded_pairs() -> dict[str, np.ndarray]:
    """Return paper, similarity, word score and grade of each pair."""
    path = real_data.path_of("pairs_graded.parquet")
    return duckdb.sql(
        "select paper_id, patent_id, similarity, word_score, grade "
        f"from '{path}' order by paper_id, rank, patent_id"
    ).fetchnumpy()


def embedded_pairs(encoder: Encoder) -> dict[str, np.ndarray]:
    """Return the same pairs with the similarity that an encoder gives them."""
    pairs = graded_pairs()
    sides = [_vectors(kind, pairs[f"{kind}_id"], encoder) for kind in ("paper", "patent")]
    return pairs | {"similarity": np.einsum("ij,ij->i", *sides).astype(np.float64)}


def _vectors(kind: str, ids: np.ndarray, encoder: Encoder) -> np.ndarray:
    """Return the vectors of documents by their ids, as a build embeds them."""
    path = real_data.path_of(f"{kind}s.parquet")
    rows = duckdb.sql(
        f"select id, title || coalesce('. ' || abstract, '') from '{path}'"
    ).fetchall()
    texts = dict(rows)
    names = sorted(set(ids.tolist()))
    vectors = encoder.encode([texts[name] for name in names])
    place = {name: row for row, name in enumerate(names)}
    return vectors[[place[name] for name in ids.tolist()]]


def fitted(pairs: dict[str, np.ndarray], level: str, basis: str) -> Relatedness:
    """Return the fit of a level to some pairs."""
    words = pairs["word_score"] if BASES[basis] else None
    return fit(pairs["similarity"], words, pairs["grade"] >= LEVELS[level])


def main() -> None:
    """Write the seed."""
    multilingual = load_encoder(languages="all", precision="f32")
    by_encoder = {
        sys.argv[1]: graded_pairs(),
        multilingual.model_version.split("/")[1]: embedded_pairs(multilingual),
    }
    with SEED.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        names = ("intercept", "similarity_slope", "word_score_slope")
        writer.writerow(["encoder_hash", "basis", "level", *names, "graded_pairs", "source"])
        for encoder_hash, pairs in by_encoder.items():
            count = len(pairs["grade"])
            source = SOURCE.format(pairs=count, papers=len(set(pairs["paper_id"])))
            for basis in BASES:
                for level in LEVELS:
                    found = fitted(pairs, level, basis)
                    numbers = [f"{getattr(found, name):.5f}" for name in names]
                    writer.writerow([encoder_hash, basis, level, *numbers, count, source])


if __name__ == "__main__":
    main()
