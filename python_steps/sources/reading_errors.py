"""Explain DuckDB's errors about a delivered file: which file, which line, what to do."""

import contextlib
import csv
import gzip
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from python_steps.sources.findings import is_gzip, of_file, separator_of
from python_steps.sources.formats import encoding_in_words


def explain_reading(message: str) -> str | None:
    """Say what is wrong with the file that DuckDB's message is about; None of other messages."""
    file = re.search(
        r"file (?:= (.+)|'([^']+)'|\"([^\"]+)\")|GZIP stream: (/.+)"
        r"|reading file file:/*(/\S+?)[.] ",
        message,
    )
    name = next(filter(None, file.groups())).strip() if file else "A delivered file"
    line = re.search(r"CSV Error on Line: (\d+)", message)
    if re.search("not utf-8 encoded|as valid UTF-8", message):
        where = f" (line {line[1]})" if line else ""
        return f"{name} is not UTF-8{where}. {encoding_in_words(Path(name))}"
    if re.search("GZIP stream|Unexpected end of input stream|incorrect header check", message):
        return f"{name} is a gzip file that was cut or is damaged. Download or export it again."
    if not re.search("CSV Error on Line|Error when sniffing file", message):
        return None
    irregular, row = _first_irregular_line(Path(name)) if file else (None, "")
    where = irregular or (line and line[1])
    if re.search(r'\\"', row):
        command = of_file(r"""sed 's/\\"/""/g' FILE""", Path(name))
        return (
            f'{name}, line {where}: quotes are written as \\" there, but a quote within a quoted '
            f"field is doubled in CSV. Export it so, or convert it: `{command} > NEW`."
        )
    return (
        f"{name}{f', line {where}' if where else ''}: the row has more or fewer fields than the "
        "header, or a quote in it is never closed. Fix the row: put a field with a comma, quote or "
        "line break in double quotes."
    )


def _first_irregular_line(path: Path) -> tuple[int | None, str]:
    """Return where the first CSV row begins that is not of the header's length, and its line."""
    begins = 1
    seen: list[str] = []

    def noted(lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            seen[:] = [*seen[-9:], line]
            yield line

    with contextlib.suppress(OSError, UnicodeDecodeError):
        opened = gzip.open if is_gzip(path) else open
        with opened(path, "rt", encoding="utf-8-sig", newline="") as lines:
            header = lines.readline()
            lines.seek(0)
            rows = csv.reader(noted(lines), strict=True, delimiter=separator_of(header))
            try:
                fields = len(next(rows))
                begins = rows.line_num + 1
                for row in rows:
                    if row and len(row) != fields:
                        return begins, seen[-1]
                    begins = rows.line_num + 1
            except (csv.Error, StopIteration):
                return begins, "".join(seen)
    return None, ""
