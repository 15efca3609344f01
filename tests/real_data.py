"""Real records to test on: never part of the project, found through the environment."""

import os
from pathlib import Path

import pytest

FOLDER = Path(
    os.environ.get("DEEPINNOVATION_REAL_DATA", Path(__file__).parents[2] / "shared" / "data")
)


def path_of(name: str) -> Path:
    """Return a file of the real data, or skip the test, saying why."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"no real data at {FOLDER}: set DEEPINNOVATION_REAL_DATA")
    return path
