"""How well records of one paper are found: judged pairs through the project's own SQL."""

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

from tests.small_warehouse import CASES, SmallWarehouse

FIELDS = ("title", "authors", "publication_year", "venue", "doi", "abstract")
Record = dict[str, object]
Key = tuple[str, str]


def wilson(part: int, whole: int) -> tuple[float, float, float]:
    """Return a share and its Wilson interval of 95 %; NaN of nothing."""
    if not whole:
        return (math.nan,) * 3
    share, square = part / whole, 1.96**2
    middle = share + square / (2 * whole)
    spread = 1.96 * math.sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    return share, (middle - spread) / (1 + square / whole), (middle + spread) / (1 + square / whole)


def documents_of(records: Iterable[Record], folder: Path) -> dict[Key, str]:
    """Return the document of each record, by source and id: built in a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "papers.jsonl").open("w", encoding="utf-8") as lines:
        for record in records:
            lines.write(json.dumps(record, ensure_ascii=False) + "\n")
    rows = SmallWarehouse({"papers tables": folder / "papers.jsonl"}).rows(
        "select source_name, source_record_id, document_id from {int_papers_identified}"
    )
    return {(source, name): document for source, name, document in rows}


def hard_pairs() -> Iterator[tuple[str, bool, Record, Record]]:
    """Yield kind, judgement and both records of each pair that was written for the project."""
    with (CASES / "hard_pairs.csv").open(encoding="utf-8", newline="") as opened:
        for number, row in enumerate(csv.DictReader(opened)):
            yield (
                row["kind"],
                row["same"] == "yes",
                *(_hard_record(row, side, number) for side in ("left", "right")),
            )


def _hard_record(row: dict[str, str], side: str, number: int) -> Record:
    def value(name: str) -> str | None:
        written = row[f"{side}_{name}"]
        return (row[f"left_{name}"] if written == "=" else written) or None

    authors = (value("author") or "").split("; ")
    return {
        "source": f"pair {number} {side}",
        "id": value("id") or "1",
        "title": value("title"),
        "authors": [name for name in authors if name],
        "publication_year": value("year"),
        "venue": value("venue"),
        "doi": value("doi"),
        "abstract": value("abstract"),
    }


def same_work(path: Path) -> Iterator[tuple[str, bool | None, Record, Record]]:
    """Yield kind, judgement and both records of the pairs of `pairs_same_work.parquet`."""
    columns = ", ".join(
        f"{side}_{name}"
        for side in ("left", "right")
        for name in ("source", "id", "title", "authors", "year", "venue", "doi", "abstract")
    )
    rows = duckdb.connect().execute(f"select kind, same_work, {columns} from '{path}'").fetchall()
    for kind, same, *values in rows:
        sides = []
        for side, of_side in (("left", values[:8]), ("right", values[8:])):
            source, name, *rest = of_side
            record = dict(zip(FIELDS, rest, strict=True))
            sides.append({"source": f"{source} {side}", "id": name.split("@")[0], **record})
        yield kind, same, *sides


Pair = tuple[str, bool | None, Record, Record]


def judged(
    pairs: Iterable[Pair], folder: Path
) -> tuple[dict[tuple[str, bool | None], list[int]], list[Pair]]:
    """Return joined and all pairs by kind and judgement, and those that are judged otherwise.

    All pairs are built together: the records of one may join those of another.
    """
    pairs = list(pairs)
    records = {_key(record): record for _, _, *sides in pairs for record in sides}
    documents = documents_of(records.values(), folder)
    counts: dict[tuple[str, bool | None], list[int]] = {}
    otherwise = []
    for pair in pairs:
        kind, same, left, right = pair
        found = [documents.get(_key(record)) for record in (left, right)]
        is_joined = found[0] is not None and found[0] == found[1]
        count = counts.setdefault((kind, same), [0, 0])
        count[0] += is_joined
        count[1] += 1
        if same is not None and is_joined != same:
            otherwise.append(pair)
    return counts, otherwise


def batches(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """Return pairs in groups to build by themselves: no two share a title, DOI or id."""
    groups: list[tuple[set[str], list[Pair]]] = []
    for pair in pairs:
        marks = {
            re.sub("[^\\w]", "", str(record[name])).lower()[:20]
            for record in pair[2:]
            for name in ("title", "doi", "id")
            if record[name] not in (None, "1")
        }
        group = next((group for group in groups if not group[0] & marks), None)
        if group is None:
            group = (set(), [])
            groups.append(group)
        group[0].update(marks)
        group[1].append(pair)
    return [members for _, members in groups]


def added(
    measured: Iterable[dict[tuple[str, bool | None], list[int]]],
) -> dict[tuple[str, bool | None], list[int]]:
    """Return the sums of several counts."""
    total: dict[tuple[str, bool | None], list[int]] = {}
    for counts in measured:
        for name, count in counts.items():
            before = total.get(name, [0, 0])
            total[name] = [before[0] + count[0], before[1] + count[1]]
    return total


def report(counts: dict[tuple[str, bool | None], list[int]]) -> list[str]:
    """Return lines: the joined share of each kind, precision and recall of all, with intervals."""
    lines = []
    for (kind, same), (joined, whole) in sorted(counts.items(), key=str):
        share, low, high = wilson(joined, whole)
        named = {True: "same", False: "other", None: "unknown"}[same]
        lines.append(
            f"{kind:26} {named:7} {joined:5} / {whole:5} {share:.3f} [{low:.3f}, {high:.3f}]"
        )
    for name, (share, low, high) in (("precision", precision(counts)), ("recall", recall(counts))):
        lines.append(f"{name} {share:.4f} [{low:.4f}, {high:.4f}]")
    return lines


def precision(counts: dict[tuple[str, bool | None], list[int]]) -> tuple[float, float, float]:
    """Return the share of joined pairs that are the same work."""
    joined = {
        same: sum(c[0] for (_, s), c in counts.items() if s is same) for same in (True, False)
    }
    return wilson(joined[True], joined[True] + joined[False])


def recall(counts: dict[tuple[str, bool | None], list[int]]) -> tuple[float, float, float]:
    """Return the share of pairs of the same work that are joined."""
    same = [count for (_, is_same), count in counts.items() if is_same]
    return wilson(sum(count[0] for count in same), sum(count[1] for count in same))


def _key(record: Record) -> Key:
    return str(record["source"]), str(record["id"])
