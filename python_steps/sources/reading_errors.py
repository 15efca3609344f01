"""Explain DuckDB's errors about a delivered file: which file, which line, what to do."""

import contextlib
import csv
import gzip
import re
from pathlib import Path


def explain_reading(message: str) -> str | None:
    """Say what is wrong with the file that DuckDB's message is about; None of other messages."""
    file = re.search(r"file (?:= (.+)|'([^']+)'|\"([^\"]+)\")", message)
    name = next(filter(None, file.groups())).strip() if file else "A delivered file"
    line = re.search(r"CSV Error on Line: (\d+)", message)
    if re.search("not utf-8 encoded|as valid UTF-8", message):
        where = f" (line {line[1]})" if line else ""
        return (
            f"{name} is not UTF-8{where}: convert it, for example with "
            "`iconv -f latin1 -t utf8 FILE > NEW`."
        )
    if not re.search("CSV Error on Line|Error when sniffing file", message):
        return None
    irregular = _first_irregular_line(Path(name)) if file else None
    where = irregular or (line and line[1])
    return (
        f"{name}{f', line {where}' if where else ''}: the row has more or fewer fields than the "
        "header, or a quote in it is never closed. Fix the row: put a field with a comma, quote or "
        "line break in double quotes."
    )


def _first_irregular_line(path: Path) -> int | None:
    """Return the line at which the first CSV row begins that is not of the header's length."""
    begins = 1
    with contextlib.suppress(OSError, UnicodeDecodeError):
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig", newline="") as lines:
            rows = csv.reader(lines, strict=True)
            try:
                fields = len(next(rows))
                begins = rows.line_num + 1
                for row in rows:
                    if row and len(row) != fields:
                        return begins
                    begins = rows.line_num + 1
            except (csv.Error, StopIteration):
                return begins
    return None
