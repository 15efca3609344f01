"""Report progress within a step on the standard error."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

PROGRESS_VARIABLE = "DEEPINNOVATION_PROGRESS"
SECONDS_BETWEEN_PLAIN_LINES = 60.0

Part = TypeVar("Part")


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

    A terminal gets a bar; a log file a plain line now and then.

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
    wanted = os.environ.get(PROGRESS_VARIABLE, "")
    terminal = wanted == "1" or (wanted != "0" and sys.stderr.isatty())
    started = last = time.monotonic()
    done = 0
    with tqdm(
        total=total, desc=description, unit=f" {unit}", disable=not terminal, file=sys.stderr
    ) as bar:
        for part in parts:
            yield part
            done += size(part)
            bar.set_postfix_str(note(part), refresh=False)
            bar.update(size(part))
            now = time.monotonic()
            if not terminal and wanted != "0" and now - last > SECONDS_BETWEEN_PLAIN_LINES:
                last = now
                speed = done / (now - started)
                rest = f"about {(total - done) / speed / 60:,.0f} min to go"
                facts = (
                    f"{done:,} of {total:,} {unit}",
                    note(part),
                    f"{speed:,.0f} {unit}/s",
                    rest,
                )
                sys.stderr.write(f"{description}: {', '.join(filter(None, facts))}\n")
                sys.stderr.flush()
