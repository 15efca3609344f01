"""Write a file aside and give it its name when it is whole."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def aside(folder: str | Path, ending: str) -> Iterator[Path]:
    """
    Yield the path of a file to write before :func:`settle` gives it its name.

    The path is no other's; a file that is still there at the end is removed. One that a killed
    process leaves ends in ``.{ending}.partial``.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.{ending}.partial"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def settle(path: Path, name: Path) -> None:
    """Give a file that is whole its name, unless a file of that name, so of that content, is."""
    if name.is_file():
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())  # a name must not outlive what it names
    path.replace(name)
