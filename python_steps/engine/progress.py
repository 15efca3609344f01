"""
Report how far a long piece of work is, on the standard error.

A terminal gets a bar. A log file gets a plain line now and then: often in the first minute, then
once a minute. DEEPINNOVATION_PROGRESS=1 draws the bar anywhere, and 0 reports nothing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

PROGRESS_VARIABLE = "DEEPINNOVATION_PROGRESS"
SECONDS_BETWEEN_DRAWINGS = 0.1
SECONDS_BETWEEN_FIRST_LINES = 10.0
SECONDS_BETWEEN_PLAIN_LINES = 60.0
BAR_WIDTH = 24

Part = TypeVar("Part")

_silences = 0  # how many blocks of `silenced` are open
_working = threading.local()  # its `part` is what this thread works on


class Progress:
    """
    How far one piece of work is; :func:`shown` makes one.

    Parameters
    ----------
    description, unit
        What is being done, and to what.
    total
        How many units there are, if known.
    """

    def __init__(self, description: str, total: int | None = None, unit: str = "rows") -> None:
        wanted = os.environ.get(PROGRESS_VARIABLE, "")
        self._is_shown = wanted != "0" and not _silences
        self._is_bar = wanted == "1" or sys.stderr.isatty()
        self._unit = unit
        self._begin(description, total)

    def _begin(self, description: str, total: int | None) -> None:
        self._description, self._total, self._note = description, total, ""
        self._done = self._read_back = 0
        self._started = self._written = time.monotonic()
        if self._is_shown and self._is_bar:
            self._draw()

    def update(
        self,
        done: int,
        *,
        total: int | None = None,
        description: str | None = None,
        note: str | None = None,
    ) -> None:
        """
        Report how many units are done.

        Parameters
        ----------
        done
            Units that are done, of all.
        total
            The number of all units, where it was not known before.
        description
            What is being done; another one than before begins a new piece of work.
        note
            What else to say, until the next note.
        """
        if description not in (None, self._description):
            self._begin(description, total)
        self._done = done
        self._total = self._total if total is None else total
        self._note = self._note if note is None else note
        if not self._is_shown:
            return
        now = time.monotonic()
        if now - self._written < self._pause() and not (self._is_bar and done == self._total):
            return
        self._written = now
        if self._is_bar:
            self._draw()
        else:
            sys.stderr.write(f"{self._description}: {', '.join(self._facts())}\n")
            sys.stderr.flush()

    def exclude(self, count: int) -> None:
        """Leave units that were read back, not computed, out of the speed."""
        self._read_back += count

    def clear(self) -> None:
        """Remove the bar, so that something else can be written to the terminal."""
        if self._is_shown and self._is_bar:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def _pause(self) -> float:
        """Return the seconds between two reports."""
        if self._is_bar:
            return SECONDS_BETWEEN_DRAWINGS
        is_first_minute = self._written - self._started < SECONDS_BETWEEN_PLAIN_LINES
        return SECONDS_BETWEEN_FIRST_LINES if is_first_minute else SECONDS_BETWEEN_PLAIN_LINES

    def _facts(self) -> list[str]:
        """Return how much is done, the note, the speed, and how long the rest will take."""
        if self._total is None:
            return [self._note] if self._note else []
        facts = [f"{self._done:,} of {self._total:,} {self._unit}", self._note]
        speed = (self._done - self._read_back) / max(time.monotonic() - self._started, 1e-9)
        if speed > 0:
            facts += [_speed_in_words(speed, self._unit), _rest((self._total - self._done) / speed)]
        return [fact for fact in facts if fact]

    def _draw(self) -> None:
        line = self._description
        if self._total:
            share = min(1.0, self._done / self._total)
            blocks = "█" * round(share * BAR_WIDTH)
            line += f" {share:4.0%} ▕{blocks:<{BAR_WIDTH}}▏"
        line = f"{line} {', '.join(self._facts())}"
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r\x1b[2K{line[:width]}")
        sys.stderr.flush()


@contextlib.contextmanager
def shown(description: str, *, total: int | None = None, unit: str = "rows") -> Iterator[Progress]:
    """Yield what reports a piece of work, and remove its bar at the end; see :class:`Progress`."""
    progress = Progress(description, total, unit)
    try:
        yield progress
    finally:
        progress.clear()


def with_progress(
    parts: Iterable[Part],
    *,
    total: int,
    size: Callable[[Part], int],
    description: str,
    unit: str = "rows",
    note: Callable[[Part], str] = lambda _: "",
) -> Iterator[Part]:
    """
    Pass parts on and report how much is done, how fast, and how long the rest will take.

    What works on a part reports within it by :func:`advance`.

    Parameters
    ----------
    parts
        What is worked on, one after another.
    total
        The sum of the sizes of all parts.
    size
        Returns how many units a part holds.
    description, unit
        What is being done, and to what.
    note
        Returns what else to say when a part is done.
    """
    with shown(description, total=total, unit=unit) as progress:
        done = 0
        for part in parts:
            outer = getattr(_working, "part", None)
            _working.part = current = _CurrentPart(progress, done, size(part))
            try:
                yield part
            finally:
                current.is_over = True
                _working.part = outer
            done += size(part)
            progress.update(done, note=note(part))


class _CurrentPart:
    """How much is done of the part that a thread works on."""

    def __init__(self, progress: Progress, before: int, size: int) -> None:
        self.progress, self.before, self.size = progress, before, size
        self.done = 0
        self.is_over = False  # the next part may be asked for from another thread

    def advance(self, count: int) -> None:
        self.done = min(self.size, self.done + count)
        self.progress.update(self.before + self.done)


def advance(count: int) -> None:
    """Report that `count` more units are done of the part that this thread works on, if any."""
    part = getattr(_working, "part", None)
    if part is not None and not part.is_over:
        part.advance(count)


def advancing(rows: Iterable[Part]) -> Iterator[Part]:
    """Pass rows on, and report each when the next one is asked for; see :func:`advance`."""
    for row in rows:
        yield row
        advance(1)


def skip_part() -> None:
    """Report that the part that this thread works on, if any, was read back and not computed."""
    part = getattr(_working, "part", None)
    if part is not None and not part.is_over:
        part.progress.exclude(part.size)


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Report nothing in this process for as long as the block runs."""
    global _silences
    _silences += 1
    try:
        yield
    finally:
        _silences -= 1


def _speed_in_words(speed: float, unit: str) -> str:
    if speed < 0.1:
        return f"{speed * 60:.1f} {unit}/min"
    return f"{speed:,.0f} {unit}/s" if speed >= 10 else f"{speed:.1f} {unit}/s"


def _rest(seconds: float) -> str:
    if seconds < 90:
        return f"about {seconds:.0f} s to go"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min to go"
    return f"about {seconds / 3600:.1f} h to go"
