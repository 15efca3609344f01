"""What identifies delivered files: size, time of change and SHA-256."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from python_steps import tables

READERS = 4  # files read at a time: hashing lets other threads run


def describe(files: Iterable[str], known: pa.Table) -> pa.Table:
    """
    Look at each file, and read those that have changed since they were last hashed.

    Parameters
    ----------
    files
        Paths. An address of other storage, or a path that this machine does not have, comes out
        with nulls: what only workers of a cluster reach is not read here.
    known
        What was found the last time: rows of `tables.FILE_STATES`.

    Returns
    -------
    pa.Table
        Rows of `tables.FILE_STATES`, one for each path, sorted.
    """
    hashes = {
        (row["record_file"], row["bytes"], row["modified_at"]): row["sha256"]
        for row in known.to_pylist()
    }

    def state(file: str) -> dict:
        path = local_path(file)
        if path is None or not path.is_file():
            return {"record_file": file, "bytes": None, "modified_at": None, "sha256": None}
        facts = path.stat()
        size, modified_at = facts.st_size, facts.st_mtime_ns
        sha256 = hashes.get((file, size, modified_at)) or _hash(path)
        return {"record_file": file, "bytes": size, "modified_at": modified_at, "sha256": sha256}

    with ThreadPoolExecutor(READERS) as readers:
        states = list(readers.map(state, sorted(set(files))))
    return pa.Table.from_pylist(states, schema=tables.FILE_STATES)


def local_path(file: str) -> Path | None:
    """Return the path of a file of this machine; None of an address of other storage."""
    path = re.sub("^file:/+", "/", file)
    return None if re.match(r"[A-Za-z][\w+.-]*://", path) else Path(path)


def _hash(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
