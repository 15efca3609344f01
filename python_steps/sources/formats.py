"""Recognise what a delivered file is by its name and first bytes, and say what to do with it.

A reader that meets a format it does not know finds rows that are broken, or worse, rows. So every
file is looked at before it is read: a few thousand bytes, by their signs, in `check` and `build`.
"""

import gzip
import re
import zlib
from collections.abc import Collection, Iterable
from pathlib import Path

from python_steps.sources.findings import AGAIN, CONVERT, TO_CSV, UNPACK, Finding, is_gzip, of_file
from python_steps.sources.formats_of_text import recognise_text

TAR = re.compile(r"[.](tar[.](bz2|xz|zst|lz4|z)|tgz|tbz2?|txz)$")
HEAD = 1 << 16  # bytes looked at
TAIL = 64

# First bytes, what they mean and what to do.
SIGNS: tuple[tuple[bytes, str, str], ...] = (
    (b"BZh", "packed with bzip2", "Unpack it: `bunzip2 -k FILE`."),
    (b"\xfd7zXZ\0", "packed with xz", "Unpack it: `unxz -k FILE`."),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "Unpack it: `unzstd FILE`."),
    (b"\x04\x22\x4d\x18", "packed with lz4", "Unpack it: `unlz4 FILE`."),
    (b"\x1f\x9d", "packed with compress", "Unpack it: `uncompress FILE`."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (b"Rar!", "a RAR archive", UNPACK),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Office file", TO_CSV),
    (b"%PDF", "a PDF", "Give the records as data."),
    (b"SQLite format 3\0", "an SQLite database", CONVERT),
    (b"\x89HDF", "an HDF5 file", CONVERT),
    (b"Obj\x01", "an Avro file", "Export it as JSON lines or Parquet."),
    (b"ARROW1", "a Feather or Arrow file", "Save it as Parquet."),
    (b"<stata_dta>", "a Stata file", CONVERT),
    (b"$FL2", "an SPSS file", CONVERT),
    (b"RDX2\n", "a file of R", "Save the table as CSV or Parquet."),
    (b"RDX3\n", "a file of R", "Save the table as CSV or Parquet."),
    (b"\x80\x04\x95", "a Python pickle", "Save the table as Parquet or CSV."),
    (b"\x80\x05\x95", "a Python pickle", "Save the table as Parquet or CSV."),
)


def recognise(
    name: str, first: bytes, last: bytes = b"", required: Iterable[Collection[str]] = ()
) -> Finding | None:
    """Say what a file is that cannot be read as it is; None of one that can.

    Parameters
    ----------
    name
        Its name; the ending says how it is read.
    first, last
        Its first bytes, `HEAD` of them or all, and its last.
    required
        Fields that records need, one of each group: an export of another system is named only if
        it lacks some.
    """
    is_whole = len(first) < HEAD
    name = name.lower()  # endings may be written in capitals
    if not first:
        return Finding("empty (no bytes)", AGAIN, is_misread=name.endswith((".gz", ".parquet")))
    found = _container(name, first, last)
    if found and TAR.search(name):
        found = Finding("a packed tar archive", "Unpack it: `tar -xf FILE`; then give the folder.")
    if found or name.endswith(".parquet"):
        return found
    if name.endswith(".gz"):
        found, first, is_whole = _unpacked(first, is_whole=is_whole)
        if found:
            return found
        name = name.removesuffix(".gz")
        last = first[-TAIL:] if is_whole else b""
        found = _container(name, first, last) if first else None
        if found:
            return found
    found = _encoding(first, is_whole=is_whole)
    if found:
        return found
    text, end = first.decode(errors="ignore"), last.decode(errors="ignore")
    return recognise_text(name, text, end, required, is_whole=is_whole)


def _container(name: str, first: bytes, last: bytes) -> Finding | None:
    """Recognise what is no text."""
    is_gzip, is_parquet = first[:2] == b"\x1f\x8b", first[:4] == b"PAR1"
    known = next(((what, remedy) for sign, what, remedy in SIGNS if first.startswith(sign)), None)
    if first[:4] == b"PK\x03\x04":
        known = ("a zip archive", "Name it .zip, or unpack it and give the folder.")
        if re.search(rb"xl/|\[Content_Types\]\.xml|opendocument", first[:4096]):
            known = ("an Excel workbook or another office file", TO_CSV)
    elif first[:3] == b"ORC" and re.search(rb"[\0-\x08\x80-\xff]", first[3:64]):
        known = ("an ORC file", "Save it as Parquet.")
    elif first[257:262] == b"ustar":
        known = ("a tar archive", "Unpack it: `tar -xf FILE`; then give the folder.")
    if name.endswith(".parquet"):
        if is_parquet:
            is_cut = last[-4:] != b"PAR1"
            return Finding("a Parquet file that was cut", AGAIN) if is_cut else None
        return Finding("not a Parquet file, though its name ends in .parquet", AGAIN)
    if name.endswith(".gz") and not is_gzip:
        beside = f" but {known[0]}" if known else ""
        return Finding(f"not a gzip file{beside}, though its name ends in .gz", AGAIN)
    if is_gzip and not name.endswith(".gz"):
        known = ("packed with gzip", "Give it a name that ends in .gz, as .jsonl.gz.")
    elif is_parquet:
        known = ("a Parquet file", "Give it a name that ends in .parquet.")
    return Finding(*known) if known else None


def _unpacked(first: bytes, *, is_whole: bool) -> tuple[Finding | None, bytes, bool]:
    """Unpack the beginning of a gzip file: what is wrong, the text, and whether that is all."""
    text = b""
    try:
        while first and len(text) < HEAD:
            member = zlib.decompressobj(wbits=31)
            text += member.decompress(first, HEAD - len(text))
            if not member.eof:
                is_cut = is_whole and not member.unconsumed_tail
                found = Finding("a gzip file that was cut", AGAIN) if is_cut else None
                return found, text, False
            first = member.unused_data
            if first and first[:2] != b"\x1f\x8b":
                remedy = "Pack it again: `gzip -dc FILE | gzip > NEW`."
                return Finding("a gzip file with other bytes after its end", remedy), text, False
    except zlib.error:
        return Finding("a damaged gzip file", AGAIN), text, False
    return None, text, is_whole and not first


def _encoding(first: bytes, *, is_whole: bool) -> Finding | None:
    """Recognise text that is not UTF-8."""
    encoding = None
    if first[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        encoding = "UTF-32"
    elif first[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "UTF-16"
    else:
        # Of letters in UTF-16 every other byte is 0, more than a stray NUL would make.
        even, odd = first[0::2].count(0), first[1::2].count(0)
        if max(even, odd) > len(first) / 5 and min(even, odd) < max(even, odd) / 10:
            encoding = "UTF-16BE" if even > odd else "UTF-16LE"
    if encoding:
        return Finding(f"{encoding}, not UTF-8", _convert(encoding))
    try:
        first.decode()
    except UnicodeDecodeError as error:
        if not is_whole and error.start > len(first) - 4 and error.reason.startswith("unexpected"):
            return None
        line = first[: error.start].count(b"\n") + 1
        return Finding(f"not UTF-8 (line {line})", _convert(_guessed(first)))
    return None


def _guessed(text: bytes) -> str:
    """Guess an encoding of one byte a letter, or of two for Chinese."""
    runs = re.findall(rb"[\x80-\xff]+", text)
    if sum(len(run) >= 4 and len(run) % 2 == 0 for run in runs) > len(runs) / 2:
        return "gb18030"
    return "windows-1252" if re.search(rb"[\x80-\x9f]", text) else "latin1"


def _convert(encoding: str) -> str:
    return f"Convert it, for example with `iconv -f {encoding} -t utf8 FILE > NEW`."


def encoding_in_words(file: Path) -> str:
    """Say how to convert a file that is not UTF-8."""
    opened = gzip.open if is_gzip(file) else open
    try:
        with opened(file, "rb") as stream:
            while block := stream.read(HEAD):
                if not block.isascii():
                    # A block may begin within a letter.
                    block = re.sub(rb"^[\x80-\xbf]{1,3}", b"", block)
                    found = _encoding(block, is_whole=False)
                    if found:
                        return of_file(found.remedy, file)
    except (OSError, EOFError, zlib.error):
        pass
    return of_file(_convert("latin1"), file)


def look_at(file: Path, required: Iterable[Collection[str]] = ()) -> Finding | None:
    """Recognise a file on this machine.

    Raises
    ------
    OSError
        If it cannot be opened.
    """
    with file.open("rb") as opened:
        first = opened.read(HEAD)
        last = first[-TAIL:]
        if len(first) == HEAD:
            opened.seek(-TAIL, 2)
            last = opened.read()
    return recognise(file.name, first, last, required)
