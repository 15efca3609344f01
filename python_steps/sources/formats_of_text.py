"""Recognise what a delivered text is by its first lines: tables, JSON, exports of other systems."""

import csv
import itertools
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from python_steps.sources.exports import DBLP, export_of, is_part_of_export
from python_steps.sources.field_names import normalised
from python_steps.sources.findings import (
    AGAIN,
    CONVERT,
    SEPARATORS,
    Finding,
    form_of,
    separator_of,
)
from python_steps.sources.kinds_of_xml import kind_of_xml

# What the first line of text matches, what that is and what to do.
FIRST_LINES: tuple[tuple[str, str, str], ...] = (
    (r"(?i)<!doctype html|<html|<head|<body", "a web page (HTML), not records", AGAIN),
    (r"<\?xml|<!DOCTYPE|<[A-Za-z][\w:.-]*[\s>/]", "XML", ""),
    (r"TY  - ", "a RIS file", CONVERT),
    (r"@[A-Za-z]+\s*\{", "a BibTeX file", CONVERT),
    (r"%0 [A-Z]", "an EndNote file", CONVERT),
    (r"PMID- ", "a MEDLINE (PubMed) file", CONVERT),
    (r"FN (Clarivate|Thomson|ISI)", "a plain-text export of Web of Science", CONVERT),
    (r"RT (Journal|Book|Conference|Dissertation|Patent|Thesis|Report)", "a RefWorks file", CONVERT),
    (r"\{Reference Type\}: ", "a NoteExpress file", CONVERT),
    (r"(SrcDatabase-来源库|Title-题名) *[:\uff1a]", "an export of CNKI as text", CONVERT),
    (r"\[1\].*\[[A-Z]+(/OL)?\]", "a list of references as text (GB/T 7714)", CONVERT),
    (r"version https://git-lfs", "a pointer of Git LFS, not the data", "Fetch it: `git lfs pull`."),
    (r"/annex/objects/|\.\./.*\.git/annex", "a pointer of git-annex", "Fetch it: `git annex get`."),
)


# Begins {"title":{"0":…}}, {"0":{…}}, {"columns":[…]…"data"} or {"schema":{…}…"data"}.
PANDAS_KEYS = r'\{\s*("0"\s*:\s*\{|"[^"]+"\s*:\s*\{\s*"0"\s*:|"(columns|schema|index)"\s*:)'
RECORDS = "Write the records a line: `to_json(NEW, orient='records', lines=True)`, as NEW.jsonl."

DBLP_ANSWER = r'\{\s*"result"\s*:\s*\{\s*"(query|status|hits)"'
OF_DBLP = (
    "an answer of the API of DBLP",
    "Take the records out, `jq -c '.result.hits.hit[].info' FILE > NEW.jsonl`, and rename their "
    f"fields to those of `tables` (docs/guides/deliveries.md). Here: {DBLP}.",
)

# Fields of documents that hold records, but `results`, which is read.
WRAPPERS = frozenset(
    {"content", "data", "docs", "documents", "entries", "hits", "items", "papers", "patents"}
    | {"patentFileWrapperDataBag", "publications", "records", "rows", "value", "works"}
)


def recognise_text(
    name: str,
    text: str,
    last: str,
    required: Iterable[Collection[str]],
    *,
    is_whole: bool,
) -> Finding | None:
    """Recognise text by its first lines.

    Parameters
    ----------
    name
        Name of the file, without `.gz`.
    text, is_whole
        Its beginning, and whether that is all.
    last
        Its last letters, if they are known.
    required
        Fields that records need, one of each group.
    """
    text = text.lstrip("\ufeff")
    lines = text.strip().split("\n") if text.strip() else []
    if not lines:
        return None
    form = form_of(name)
    for pattern, what, remedy in FIRST_LINES:
        if re.match(pattern, lines[0].strip()):
            if what == "XML":
                what, remedy = kind_of_xml(text)
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
    remarks = len(list(itertools.takewhile(lambda line: re.match(r"#(?!,)", line), lines)))
    if remarks and len(header_of(lines)) < len(header_of(lines[remarks:])):
        remedy = f"Remove them: `tail -n +{remarks + 1} FILE > NEW`."
        return Finding("CSV with remarks before its header", remedy)
    names = header_of(lines)
    place = _header_below(lines, required)
    if place:
        remedy = f"Remove them: `tail -n +{place + 1} FILE > NEW`."
        return Finding(f"CSV with {place} lines before its header", remedy)
    if _is_data(lines, required):
        example = ",".join(group[0] for group in required)
        remedy = (
            f"Write the names of its columns above it, in their order, such as `{example}` "
            "(docs/guides/deliveries.md)."
        )
        return Finding("CSV without a line of column names: its first line is a record", remedy)
    return _export(names, required)


# What stands in a record and is no name of a column.
DATA = re.compile(
    r"[-+]?\d[\d.,]*|\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|https?://\S+|10[.]\d{4,9}/\S+|W\d{4,}"
    r"|[A-Z]{2}-?\d{4,}[-A-Z\d]*|true|false|.{100,}",
    re.IGNORECASE,
)


def _is_data(lines: Sequence[str], required: Sequence[Collection[str]]) -> bool:
    """Whether the first row of a table is a record, though it should name the columns."""
    names = [name.strip() for name in header_of(lines)]
    known = set(map(normalised, names))
    if not required or any(known & set(group) for group in required):
        return False
    second = [value.strip() for value in header_of(lines[1:])] if len(lines) > 1 else []
    alike = any(
        re.search(r"\d", one) and _shape(one) == _shape(other)
        for one, other in zip(names, second, strict=False)
    )
    return alike or any(map(DATA.fullmatch, names))


def _shape(value: str) -> str:
    """Return a value with one sign for each run of letters and of digits."""
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", value))


def _header_below(lines: Sequence[str], required: Sequence[Collection[str]]) -> int:
    """Return how many lines stand before a header that is not the first line; mostly 0.

    A header of three columns is known by those that are required.
    """
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
    for (place, row), (_, below) in itertools.pairwise(rows[1:]):
        is_header = len(row) > 3 and all(re.search(r"[^\W\d]", name) for name in row)
        known = set(map(normalised, row))
        is_header |= bool(required) and all(known & set(group) for group in required)
        if is_header and len(below) == len(row):
            return place
    return 0


def _export(names: Iterable[str], required: Sequence[Collection[str]]) -> Finding | None:
    """Recognise an export of another system by its fields, if it lacks what records need."""
    names = list(names)
    known = set(map(normalised, names))
    is_read = not required or all(known & set(group) for group in required)
    # A table that others must be joined to may have a title of another name.
    if is_read and ("title" in known or not is_part_of_export(names)):
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
    text: str, last: str, required: Sequence[Collection[str]], *, is_whole: bool
) -> Finding | None:
    """Recognise answers of an API that hold no records, and documents of other systems."""
    text = text.lstrip()
    message = re.match(r'\{\s*"(error|errors|message|detail|fault)"\s*:', text)
    if message:
        return Finding("an error message of an API, not records", AGAIN, is_misread=False)
    ends = text.rstrip()[-1:] if is_whole else last.rstrip()[-1:]
    if ends and ends != {"[": "]", "{": "}"}.get(text[0], ends):
        return Finding("a JSON document that was cut", AGAIN, is_misread=False)
    if re.match(r'\{\s*"(meta|results|group_by)"', text):
        return None
    if re.match(DBLP_ANSWER, text):
        return Finding(*OF_DBLP)
    if re.match(PANDAS_KEYS, text) and ('"0"' in text[:99] or '"data"' in text):
        return Finding("JSON that pandas wrote by columns or by index", RECORDS)
    wrapper = re.match(r'\{\s*(?:"[\w-]+"\s*:\s*[^\[{,]+,\s*)*"([\w-]+)"\s*:\s*\[\s*\{', text)
    if wrapper and wrapper[1] in WRAPPERS:
        what = f"a JSON document whose records are in `{wrapper[1]}`"
        found = _export(_keys(text[wrapper.end() - 1 :]), required)
        if found:
            return found
        return Finding(what, f"Take them out: `jq -c '.{wrapper[1]}[]' FILE > NEW.jsonl`.")
    return _export(_keys(text.lstrip("[ \r\n\t")), required)


def _keys(text: str) -> list[str]:
    """Names of the fields of the object with which a text begins, which may be cut."""
    value = _first_value(text)
    if isinstance(value, dict):
        return list(value)
    return list(dict.fromkeys(re.findall(r'"([^"\\]{1,60})"\s*:', text)))


def _page(line: Mapping[str, object], required: Sequence[Collection[str]]) -> Finding | None:
    """Recognise a line that is a whole answer of an API."""
    known = set(map(normalised, line))
    if required and all(known & set(group) for group in required):
        return None
    for name in ("results", *sorted(WRAPPERS & line.keys())):
        held = line.get(name)
        if isinstance(held, list) and all(isinstance(record, dict) for record in held):
            remedy = f"Take them out: `jq -c '.{name}[]' FILE > NEW`."
            found = _export(held[0], required) if held else None
            return found or Finding("pages of an API, not one record per line", remedy)
    return None


def _lines(
    text: str, lines: Sequence[str], required: Sequence[Collection[str]], *, is_whole: bool
) -> Finding | None:
    """Recognise what is not one JSON record a line."""
    first = lines[0].strip()
    if re.match(r"\{ *'\w+' *:", first):
        remedy = "Write it with `json.dumps`, one record per line."
        return Finding("what Python prints of dictionaries, not JSON", remedy)
    if re.match(DBLP_ANSWER, first):
        return Finding(*OF_DBLP)
    value = _first_value(first)
    if first.startswith("[") and (value is None or isinstance(value, list)):
        remedy = "Give it a name that ends in .json."
        return Finding("a JSON array, but one record per line is expected", remedy)
    if isinstance(value, dict):
        if re.search(r"\}\s*,$", first):
            remedy = "Take the commas away: `sed 's/,[[:space:]]*$//' FILE > NEW`."
            return Finding("JSON lines with a comma after each record", remedy)
        return _page(value, required) or _export(value, required)
    if first.startswith("{"):
        spans = _first_value(text)
        if (isinstance(spans, dict) and len(lines) > 1) or first == "{":
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
