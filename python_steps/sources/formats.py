"""Recognise what a delivered file is by its name and first bytes, and say what to do with it.

A reader that meets a format it does not know finds rows that are broken, or worse, rows. So every
file is looked at before it is read: a few thousand bytes, by their signs, in `check` and `build`.
"""

import csv
import gzip
import json
import re
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_steps.sources.exports import export_of
from python_steps.sources.field_names import normalised

HEAD = 1 << 16  # bytes looked at
TAIL = 64
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


UNPACK = "Unpack it and give the unpacked files."
AGAIN = "Download or export it again."
TO_CSV = "Save it as CSV (comma separated, UTF-8) and give that file."
CONVERT = (
    "Convert it to the columns of `tables` (docs/guides/deliveries.md) as CSV, Parquet or "
    "JSON lines."
)

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
    (b"ORC", "an ORC file", "Export it as Parquet."),
    (b"ARROW1", "a Feather or Arrow file", "Save it as Parquet."),
    (b"<stata_dta>", "a Stata file", CONVERT),
    (b"$FL2", "an SPSS file", CONVERT),
    (b"RDX", "a file of R", "Save the table as CSV or Parquet."),
    (b"\x80\x04\x95", "a Python pickle", "Save the table as Parquet or CSV."),
    (b"\x80\x05\x95", "a Python pickle", "Save the table as Parquet or CSV."),
)

# What the first line of text matches, what that is and what to do.
FIRST_LINES: tuple[tuple[str, str, str], ...] = (
    (r"(?i)<!doctype html|<html|<head|<body", "a web page (HTML), not records", AGAIN),
    (r"<\?xml|<!DOCTYPE|<[A-Za-z][\w:.-]*[\s>/]", "XML", CONVERT),
    (r"TY  - ", "a RIS file", CONVERT),
    (r"@[A-Za-z]+\s*\{", "a BibTeX file", CONVERT),
    (r"%0 [A-Z]", "an EndNote file", CONVERT),
    (r"PMID- ", "a MEDLINE (PubMed) file", CONVERT),
    (r"FN (Clarivate|Thomson|ISI)", "a plain-text export of Web of Science", CONVERT),
    (r"version https://git-lfs", "a pointer of Git LFS, not the data", "Fetch it: `git lfs pull`."),
    (r"/annex/objects/|\.\./.*\.git/annex", "a pointer of git-annex", "Fetch it: `git annex get`."),
)


def form_of(file: Path | str) -> str:
    """How a file is read: lines, documents, parquet or csv."""
    name = str(file)
    if name.endswith(".parquet"):
        return "parquet"
    if re.search(r"[.](csv|tsv)([.]gz)?$", name):
        return "csv"
    return "documents" if re.search(r"[.]json([.]gz)?$", name) else "lines"


def separator_of(header: str) -> str:
    """Sign that parts the fields of a CSV header: the macro `csv_separator` chooses it so."""
    bare = re.sub(r'"[^"]*("|$)', "", header)
    return max((",", *SEPARATORS), key=bare.count)


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
    if not first:
        is_misread = name.endswith((".gz", ".parquet")) or form_of(name) == "csv"
        return Finding("empty (no bytes)", AGAIN, is_misread)
    found = _container(name, first, last)
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
    return _encoding(first, is_whole=is_whole) or _text(name, first, last, is_whole, required)


def _container(name: str, first: bytes, last: bytes) -> Finding | None:
    """Recognise what is no text."""
    if first[:4] == b"PK\x03\x04":
        if re.search(rb"xl/|\[Content_Types\]\.xml|opendocument", first[:4096]):
            return Finding("an Excel workbook or another office file", TO_CSV)
        return Finding("a zip archive", "Name it .zip, or unpack it and give the folder.")
    if first[257:262] == b"ustar":
        return Finding("a tar archive", "Unpack it: `tar -xf FILE`; then give the folder.")
    if name.endswith(".parquet"):
        if first[:4] != b"PAR1":
            return Finding("not a Parquet file", AGAIN)
        return Finding("a Parquet file that was cut", AGAIN) if last[-4:] != b"PAR1" else None
    if first[:4] == b"PAR1":
        return Finding("a Parquet file", "Give it a name that ends in .parquet.")
    if first[:2] == b"\x1f\x8b" and not name.endswith(".gz"):
        return Finding("packed with gzip", "Give it a name that ends in .gz, as .jsonl.gz.")
    if first[:2] != b"\x1f\x8b" and name.endswith(".gz"):
        known = next((what for sign, what, _ in SIGNS if first.startswith(sign)), None)
        beside = f" but {known}" if known else ""
        return Finding(f"not a gzip file{beside}, though its name ends in .gz", AGAIN)
    for sign, what, remedy in SIGNS:
        if first.startswith(sign):
            return Finding(what, remedy)
    return None


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
    opened = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rb") as stream:
            while block := stream.read(HEAD):
                if not block.isascii():
                    # A block may begin within a letter.
                    block = re.sub(rb"^[\x80-\xbf]{1,3}", b"", block)  # noqa: PLW2901
                    found = _encoding(block, is_whole=False)
                    if found:
                        return found.remedy
    except (OSError, EOFError, zlib.error):
        pass
    return _convert("latin1")


def _text(
    name: str,
    first: bytes,
    last: bytes,
    is_whole: bool,  # noqa: FBT001
    required: Iterable[Collection[str]],
) -> Finding | None:
    """Recognise text by its first lines."""
    text = first.decode(errors="ignore").lstrip("\ufeff")
    lines = text.strip().split("\n") if text.strip() else []
    if not lines:
        return None
    form = form_of(name)
    for pattern, what, remedy in FIRST_LINES:
        if re.match(pattern, lines[0].strip()):
            # A document that is no JSON is one record, and rejected.
            return Finding(what, remedy, is_misread=form != "documents")
    groups = [list(map(normalised, group)) for group in required]
    if form == "csv":
        return _table(lines, groups)
    if form == "documents":
        return _document(text, last, groups, is_whole=is_whole)
    return _lines(text, lines, groups, is_whole=is_whole)


def header_of(lines: Sequence[str]) -> list[str]:
    """Names of the columns of a CSV file, by its first lines."""
    try:
        return next(csv.reader(lines, delimiter=separator_of(lines[0])), [])
    except csv.Error:
        return []


def _table(lines: Sequence[str], required: Sequence[Collection[str]]) -> Finding | None:
    """Recognise what stands in the place of a header, and the exports of other systems."""
    first = lines[0].strip().strip('"')
    if re.match(r"(?i)sep=.?$", first):
        remedy = "Remove the line: `tail -n +2 FILE > NEW`."
        return Finding("CSV whose first line names the separator (`sep=`)", remedy)
    if first.startswith(("{", "[")) and _first_value(lines[0]) is not None:
        return Finding("JSON, not CSV", "Give it a name that ends in .jsonl or .json.")
    if re.match(r"(?i)search url:", first):
        remedy = "Remove the line: `tail -n +2 FILE > NEW`."
        return Finding("CSV of Google Patents with a line (`search URL`) before its header", remedy)
    if re.match("Espacenet", first):
        remedy = f"Remove them: `tail -n +8 FILE > NEW`. {CONVERT}"
        return Finding("an export of Espacenet with seven lines before its header", remedy)
    names = header_of(lines)
    place = _header_below(lines)
    if place:
        remedy = f"Remove them: `tail -n +{place + 1} FILE > NEW`."
        return Finding(f"CSV with {place} lines before its header", remedy)
    return _export(names, required)


def _header_below(lines: Sequence[str]) -> int:
    """Return how many lines stand before a header that is not the first line; mostly 0."""
    head = list(lines[:20])
    rows: list[tuple[int, list[str]]] = []
    begins = 0
    try:
        reader = csv.reader(head, delimiter=separator_of("\n".join(head)))
        for row in reader:
            rows.append((begins, row))
            begins = reader.line_num
    except csv.Error:
        return 0
    # A title or a remark fills a field or two; the header fills all, and rows are as long.
    if len(rows) < 3 or sum(map(bool, rows[0][1])) > 2:
        return 0
    for (place, row), (_, below) in zip(rows[1:], rows[2:], strict=False):
        is_header = len(row) > 3 and all(re.search(r"[^\W\d]", name) for name in row)
        if is_header and len(below) == len(row):
            return place
    return 0


def _export(names: Iterable[str], required: Sequence[Collection[str]]) -> Finding | None:
    """Recognise an export of another system by its fields, if it lacks what records need."""
    names = list(names)
    known = set(map(normalised, names))
    if not required or all(known & set(group) for group in required):
        return None
    found = export_of(names)
    return Finding(*found) if found else None


def _first_value(text: str) -> object:
    """Return the first JSON value of a text; None where there is none that is whole."""
    try:
        return json.JSONDecoder(strict=False).raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError):
        return None


def _document(
    text: str, last: bytes, required: Sequence[Collection[str]], *, is_whole: bool
) -> Finding | None:
    """Recognise answers of an API that hold no records, and documents of other systems."""
    text = text.lstrip()
    message = re.match(r'\{\s*"(error|errors|message|detail|fault)"\s*:', text)
    if message:
        return Finding("an error message of an API, not records", AGAIN, is_misread=False)
    ends = text.rstrip()[-1:] if is_whole else last.decode(errors="ignore").rstrip()[-1:]
    if ends and ends != {"[": "]", "{": "}"}.get(text[0], ends):
        return Finding("a JSON document that was cut", AGAIN, is_misread=False)
    if re.match(r'\{\s*"(meta|results|group_by)"', text):
        return None
    wrapper = re.match(r'\{\s*(?:"[\w-]+"\s*:\s*[^\[{,]+,\s*)*"([\w-]+)"\s*:\s*\[\s*\{', text)
    if wrapper and wrapper[1] not in {"results", "authorships"} and not _has_id(text, required):
        what = f"a JSON document whose records are in `{wrapper[1]}`"
        found = _export(_keys(text[wrapper.end() - 1 :]), required)
        if found:
            return found
        return Finding(what, f"Take them out: `jq -c '.{wrapper[1]}[]' FILE > NEW.jsonl`.")
    return _export(_keys(text.lstrip("[ \r\n\t")), required)


def _has_id(text: str, required: Sequence[Collection[str]]) -> bool:
    """Whether a document is itself a record: the first field that records need comes first."""
    keys = re.findall(r'"([^"\\]+)"\s*:', text[:200])
    return bool(required and keys and normalised(keys[0]) in required[0])


def _keys(text: str) -> list[str]:
    """Names of the fields of the object with which a text begins, which may be cut."""
    value = _first_value(text)
    if isinstance(value, dict):
        return list(value)
    return list(dict.fromkeys(re.findall(r'"([^"\\]{1,60})"\s*:', text)))


def _lines(
    text: str, lines: Sequence[str], required: Sequence[Collection[str]], *, is_whole: bool
) -> Finding | None:
    """Recognise what is not one JSON record a line."""
    first = lines[0].strip()
    value = _first_value(first)
    if first.startswith("[") and (value is None or isinstance(value, list)):
        remedy = "Give it a name that ends in .json."
        return Finding("a JSON array, but one record per line is expected", remedy)
    if isinstance(value, dict):
        if isinstance(value.get("results"), list):
            remedy = "Take them out: `jq -c '.results[]' FILE > NEW`."
            return Finding("pages of an API, not one record per line", remedy)
        return _export(value, required)
    if first.startswith("{"):
        spans = _first_value(text)
        if (isinstance(spans, dict) and len(lines) > 1) or re.fullmatch(r"\{.*,|\{", first):
            remedy = "Bring each record to one line: `jq -c . FILE > NEW`."
            return Finding("JSON over several lines, not one record per line", remedy)
        return _export(_keys(first), required) if not is_whole else None
    separator = separator_of(lines[0])
    names = header_of(lines)
    if len(names) > 2 and all(re.match(r"^[\w#()/ .:-]*$", name.strip()) for name in names):
        ending = ".tsv" if separator == "\t" else ".csv"
        found = _export(names, required)
        what = f"a table with {SEPARATORS.get(separator, 'commas')}, not JSON lines"
        return found or Finding(what, f"Give it a name that ends in {ending}.")
    return None


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
