"""Write files so that no reader sees half of one, and let one process write at a time."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import filelock


class LockedError(Exception):
    """Another process holds a lock."""


@contextlib.contextmanager
def written_whole(path: Path, *, by_many: bool = False) -> Iterator[Path]:
    """
    Yield the path to write to; the file takes its name `path` when the block ends without an error.

    After an error nothing is left, and an older file stays as it was. A killed process leaves a
    file that ends in ``.partial``; the next writer replaces it.

    Parameters
    ----------
    path
        Name of the file; its folder exists.
    by_many
        Whether several processes may write this file at the same time: each then writes a file of
        its own, and one that a kill leaves stays.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    own = f"{uuid.uuid4().hex}." if by_many else "."
    partial = path.with_name(f"{own}{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def aside(folder: str | Path, ending: str) -> Iterator[Path]:
    """
    Yield the path of a file to write before :func:`settle` names it by its content.

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


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """
    Be the only process that writes to a file.

    The lock is a hidden file beside it that stays. The system frees it however the process ends.

    Raises
    ------
    LockedError
        When another process holds it.
    OSError
        When the folder cannot be written to.
    """
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise LockedError(str(path)) from error
    try:
        yield
    finally:
        lock.release()
