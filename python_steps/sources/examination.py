"""Look at the files of a source before they are read, for what reading would get wrong."""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from python_steps.building.project_sql import StagingSql
from python_steps.sources import manifests
from python_steps.sources.findings import Finding
from python_steps.sources.formats import look_at
from python_steps.sources.locations import Listing
from python_steps.sources.systems import Delivery, Source

# What holds records if it lies beside files of records; other files may lie there for readers.
CONTAINERS = re.compile(r"(?i)[.](tar|tgz|tbz2?|txz|7z|rar|bz2|xz|zst|lz4|Z)([.]gz)?$")


@dataclass
class Examination:
    """What was found in the files of a source.

    Attributes
    ----------
    problems
        Sentences about files that would be misread, each with its remedy.
    notes
        Sentences about what a reader of the result should know.
    refused
        The files that would be misread.
    promised
        Records that a file holds by the manifest of the delivery.
    """

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: set[Path] = field(default_factory=set)
    promised: dict[Path, int] = field(default_factory=dict)


def examine(source: Source, listing: Listing) -> Examination:
    """Look at the first bytes of every file of a source, and at the lists of files beside them.

    Parameters
    ----------
    source
        Its archives must be unpacked.
    listing
        Its files.
    """
    found = Examination()
    problems: dict[Finding, list[Path]] = {}
    notes: dict[Finding, list[Path]] = {}
    required = source.delivery.required
    for file, groups in (
        *((file, required) for file in listing.files),
        *((file, ()) for files in listing.beside.values() for file in files),
    ):
        finding = _look_at(file, groups)
        if finding and groups and source.delivery.system == "tables":
            finding = _look_at(file, _names_read(source.delivery))
        if finding:
            (problems if finding.is_misread else notes).setdefault(finding, []).append(file)
    found.refused.update(file for files in problems.values() for file in files)
    for file in listing.unread:
        if file.suffix.lower() == ".zip":
            continue  # unpacked
        finding = _look_at(file, ()) or Finding("of a format that is not read", "Convert it.")
        is_container = CONTAINERS.search(file.name)
        (problems if is_container else notes).setdefault(finding, []).append(file)
    found.problems += map(_sentence, problems, problems.values())
    found.notes += map(_sentence, notes, notes.values())
    told, found.promised = manifests.compare(source.here.locations, listing.files)
    found.notes += told
    return found


def _look_at(file: Path, required: Iterable[Iterable[str]]) -> Finding | None:
    try:
        return look_at(file, [list(group) for group in required])
    except OSError as error:
        return Finding(f"not readable ({error.strerror})", "Check its permissions.")


@functools.cache
def _names_read(delivery: Delivery) -> list[list[str]]:
    """Return the required fields of a table under all names that they are read by."""
    sql = StagingSql(delivery.project, {})
    return [
        [name for field in group for name in sql.names_read(delivery.entity, field)]
        for group in delivery.required
    ]


def _sentence(finding: Finding, files: list[Path]) -> str:
    """Say once what several files are."""
    if len(files) == 1:
        return finding.about(files[0])
    return f"{len(files)} files are each {finding.what}. {finding.remedy} The first: {files[0]}"
