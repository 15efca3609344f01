"""Real records to test on: never part of the project, found through the environment."""

import os
from pathlib import Path

import duckdb
import pytest

FOLDER = Path(
    os.environ.get("DEEPINNOVATION_REAL_DATA", Path(__file__).parents[2] / "shared" / "data")
)


def read_one_by_one(kind: str, condition: str = "true") -> list[tuple]:
    """
    Return English documents of `labels_llm` that a condition on `source` and `title` keeps.

    Title, abstract, label, confidence, and how many documents each stands for.
    """
    labels, texts = (path_of(name) for name in ("labels_llm.parquet", f"{kind}s.parquet"))
    return duckdb.sql(
        "with documents as (select labels.*, texts.abstract from "
        f"'{labels}' as labels inner join '{texts}' as texts using (source, id) "
        f"where labels.document_type = '{kind}' and labels.language = 'en') "
        "select title, abstract, label_is_ai, confidence, stratum_size / stratum_n "
        f"from documents where {condition} order by source, id"
    ).fetchall()


def path_of(name: str) -> Path:
    """Return a file of the real data, or skip the test, saying why."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"no real data at {FOLDER}: set DEEPINNOVATION_REAL_DATA")
    return path
