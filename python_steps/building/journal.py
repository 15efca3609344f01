"""
The nodes that a build has finished, kept beside the warehouse so that a repeated build continues.

The journal is a file of JSON lines. The first holds the fingerprint of everything that decides the
result; each further line is written, and forced to disk, after a node's work is committed. A build
killed between the two runs that node again, which is harmless: nodes replace what they make, or
add only what is missing.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Parts of the fingerprint that say how things are computed, not from what: results of single
# shards, which are kept by their rows and settings, do not outlive a change of these.
CODE_PARTS = frozenset({"project files", "package versions"})


State = list[int] | str | None  # of a warehouse, as python_steps.warehouse.places gives it


@dataclass
class Journal:
    """The nodes that are finished, in memory and in a file.

    Attributes
    ----------
    path
        File of JSON lines.
    fingerprint
        Parts of the fingerprint, as `fingerprint` gives them.
    is_full_refresh
        Whether everything is being computed again; false once all of it is.
    finished
        dbt's unique id of a finished node to its line.
    is_complete
        Whether every node was finished when the last build ended.
    ended
        The line about the end of the last build; None while one runs, or after one was killed.
    has_begun
        Whether the file holds this journal; else it still holds an earlier one, or none.
    keeps_checkpoints
        Whether shards that an earlier build computed count, if this journal has not begun.
    """

    path: Path
    fingerprint: dict[str, str]
    is_full_refresh: bool = False
    finished: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_complete: bool = False
    ended: dict[str, Any] | None = None
    has_begun: bool = False
    keeps_checkpoints: bool = True

    @classmethod
    def read(cls, path: Path) -> "Journal | None":
        """Read a journal; None where there is none, or none that can be understood."""
        lines = list(_whole_lines(path))
        if not lines or "fingerprint" not in lines[0]:
            return None
        journal = cls(path, lines[0]["fingerprint"], lines[0].get("is_full_refresh", False))
        journal.has_begun = True
        for line in lines[1:]:
            journal._take(line)
        return journal

    def _take(self, line: dict[str, Any]) -> None:
        """Let one line count."""
        self.ended = line if "ended_at" in line else None
        if "node" in line:
            self.finished[line["node"]] = line
        for node in line.get("again", ()):
            self.finished.pop(node, None)
        self.is_complete = bool(self.ended and self.ended["is_complete"])
        self.is_full_refresh = self.is_full_refresh and not self.is_complete

    @property
    def was_stopped(self) -> bool:
        """Whether the last build was killed, or ended with a failure."""
        return self.ended is None or self.ended.get("has_failed", False)

    def begin(self) -> None:
        """Replace the file by one that holds the fingerprint only."""
        self.finished, self.ended, self.is_complete, self.has_begun = {}, None, False, True
        self.path.write_bytes(b"")
        self._write(
            {
                "fingerprint": self.fingerprint,
                "is_full_refresh": self.is_full_refresh,
                "begun_at": _now(),
            }
        )

    def finish(self, node: str, **facts: object) -> None:
        """Note that a node's work is committed."""
        self._write({"node": node, **facts, "finished_at": _now()})

    def forget(self, nodes: Iterable[str]) -> None:
        """Note, before anything is changed, that nodes are no longer finished."""
        again = sorted(set(nodes) & set(self.finished))
        if again:
            self._write({"again": again})

    def end(self, is_complete: bool, has_failed: bool, warehouse: State) -> None:
        """Note that a build ended by itself, and the state in which it leaves the warehouse."""
        self._write(
            {
                "ended_at": _now(),
                "is_complete": is_complete,
                "has_failed": has_failed,
                "warehouse": warehouse,
            }
        )

    def is_of(self, warehouse: State) -> bool:
        """Whether a warehouse in this state is as the journal's last build left it.

        A killed build records no state and is trusted. None: there is no warehouse.
        """
        if warehouse is None:
            return False
        return self.ended is None or self.ended["warehouse"] == warehouse

    def _write(self, line: dict[str, Any]) -> None:
        """Append a line and force it to disk."""
        with self.path.open("ab") as opened:
            if opened.tell() and not _ends_with_newline(self.path):
                opened.write(b"\n")  # a killed build left half a line
            opened.write(json.dumps(line).encode() + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
        self._take(line)


@dataclass(frozen=True)
class Resume:
    """Go on with the last build: what its journal holds is finished."""

    journal: Journal


@dataclass(frozen=True)
class Restart:
    """Run every node.

    Attributes
    ----------
    changed
        What differs from the last build; nothing where there is none, or all is to be computed
        again.
    keeps_checkpoints
        Whether shards that the last build computed still count.
    """

    changed: tuple[str, ...]
    keeps_checkpoints: bool


def decide(
    last: Journal | None,
    now: Mapping[str, str],
    warehouse: State,
    *,
    is_full_refresh: bool,
    has_unlisted_files: bool,
) -> Resume | Restart:
    """
    Decide whether a build goes on with the last one.

    A full refresh that was stopped goes on when asked for again; after one that ended, another
    begins.

    Parameters
    ----------
    last
        The journal of the last build, if there was one.
    now
        Parts of the fingerprint of this build.
    warehouse
        State of the warehouse.
    is_full_refresh
        Whether to compute everything again.
    has_unlisted_files
        Whether files are delivered that Spark alone can list. They may have changed since a
        complete build; a build that goes on trusts that they have not.
    """
    if last is None:
        return Restart((), keeps_checkpoints=False)
    changed = tuple(part for part in now if last.fingerprint.get(part) != now[part])
    goes_on = not is_full_refresh or (last.is_full_refresh and last.was_stopped)
    if goes_on and not changed:
        if last.is_complete and has_unlisted_files:
            changed = ("possibly files on other storage",)
        elif last.is_of(warehouse):
            return Resume(last)
        else:
            changed = ("the warehouse (by another program)",)
    is_same_code = CODE_PARTS.isdisjoint(changed)
    return Restart(changed, keeps_checkpoints=is_same_code and not is_full_refresh)


def _whole_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Lines of a journal that are whole; half a line is what a kill leaves."""
    if not path.exists():
        return
    for line in path.read_bytes().splitlines():
        try:
            parsed = json.loads(line)
        except ValueError:
            continue
        if isinstance(parsed, dict):
            yield parsed


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as opened:
        opened.seek(-1, os.SEEK_END)
        return opened.read(1) == b"\n"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
