"""What can be said of a delivered file, and how files are read by their names."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "bars"}


@dataclass(frozen=True)
class Finding:
    """What keeps a file from being read as it is.

    Attributes
    ----------
    what
        What the file is, as in `a tar archive`.
    remedy
        What to do, as sentences.
    is_misread
        Whether reading it would give wrong records or none. Otherwise it is told, and what is
        wrong becomes a rejected record.
    """

    what: str
    remedy: str
    is_misread: bool = True

    def about(self, file: Path) -> str:
        """Return what is to be said of a file."""
        return f"{file} is {self.what}. {of_file(self.remedy, file)}"


def of_file(remedy: str, file: Path) -> str:
    """Return a remedy whose command names a file; what reads text is given that of a gzip file."""
    if is_gzip(file):
        remedy = re.sub(r"`((?:iconv|jq|sed|tail) [^`]*?) FILE\b", r"`gzip -dc FILE | \1", remedy)
    return re.sub(r"\bFILE\b", lambda _: shlex.quote(str(file)), remedy)


UNPACK = "Unpack it and give the unpacked files."
AGAIN = "Download or export it again."
TO_CSV = "Save it as CSV (comma separated, UTF-8) and give that file."
CONVERT = (
    "Convert it to the columns of `tables` (docs/guides/deliveries.md) as CSV, Parquet or "
    "JSON lines."
)


def is_gzip(file: Path) -> bool:
    """Whether a file is packed with gzip, by its name."""
    return file.suffix.lower() == ".gz"


def form_of(file: Path | str) -> str:
    """How a file is read: lines, documents, parquet or csv."""
    name = str(file).lower()
    if name.endswith(".parquet"):
        return "parquet"
    if re.search(r"[.](csv|tsv)([.]gz)?$", name):
        return "csv"
    return "documents" if re.search(r"[.]json([.]gz)?$", name) else "lines"


def separator_of(header: str) -> str:
    """Sign that parts the fields of a CSV header: the macro `csv_separator` chooses it so."""
    bare = re.sub(r'"[^"]*("|$)', "", header)
    return max((",", *SEPARATORS), key=bare.count)
