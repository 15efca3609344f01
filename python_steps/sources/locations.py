"""
Find the delivered files: options and environment to locations, locations to files.

A location is a file, a folder or a glob. dbt receives it through an environment variable
(`Source.variable`) and lists its files by the same rule as `list_files` does here
(macros/delivered_records.sql). On Spark a location may also be the address of other storage
(s3a://bucket/folder), which is passed on unchanged: only Spark can list what is there.
"""

import glob
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from python_steps.errors import InputError
from python_steps.sources.systems import ALL_SOURCES, BESIDES, SAMPLE, Source, is_address

READABLE = re.compile(r"(\.(gz|jsonl|ndjson|json|parquet|csv)|/part_[^/]*)$")
READABLE_IN_WORDS = ".jsonl, .ndjson, .json, .csv, .parquet or .gz, or be named part_*"


# What an OpenAlex delivery holds, by the folders of its files.
TABLES = ("works", "merged_ids", "deleted_ids", "others")


# Between locations; not the colon of an address such as hdfs://host:9000/folder.
SEPARATOR = re.compile(rf"{re.escape(os.pathsep)}(?!//|\d+(?:[/:]|$))")


@dataclass
class Listing:
    """The files of a source.

    Attributes
    ----------
    files
        What is read as records, in the order of the locations, sorted within each.
    merged, deleted
        OpenAlex's lists of merged and of deleted records, of works among others.
    notes
        What a reader should know of the choice, as sentences.
    """

    files: list[Path] = field(default_factory=list)
    merged: list[Path] = field(default_factory=list)
    deleted: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def configured(
    papers: Iterable[tuple[str, str]],
    patents: Iterable[tuple[str, str]],
    besides: Mapping[str, str | None],
    environment: Mapping[str, str],
    *,
    takes_addresses: bool = False,
) -> list[Source]:
    """Return the sources that options name; where they name none, those of the environment.

    Parameters
    ----------
    papers, patents
        Pairs of a system and a path, as given on the command line.
    besides
        Paths of imported labels and links, by their names.
    environment
        Variables as in `os.environ`; those of an entity hold where no option names that entity.
    takes_addresses
        Whether a location may be an address of other storage.

    Returns
    -------
    list of Source
        Without documents where none are configured: then dbt reads the bundled sample.

    Raises
    ------
    InputError
        If a path cannot be handed on.
    """
    options = {"papers": list(papers), "patents": list(patents)}
    for entity in BESIDES:
        path = besides.get(entity)
        options[entity] = [("tables", path)] if path else []
    sources = []
    for source in ALL_SOURCES:
        if options[source.entity]:
            paths = [path for system, path in options[source.entity] if system == source.system]
        else:
            joined = environment.get(source.variable, "")
            paths = [path for path in SEPARATOR.split(joined) if path]
        if paths:
            found = (absolute(path, takes_addresses=takes_addresses) for path in paths)
            locations = tuple(dict.fromkeys(found))
            sources.append(Source(source.entity, source.system, locations))
    return sources


def is_sample(sources: Iterable[Source]) -> bool:
    """Whether no documents are configured, so that the bundled sample is read."""
    return all(source.entity in BESIDES for source in sources)


def sample(project: Path) -> list[Source]:
    """Return the bundled sample in the project folder."""
    return [
        Source(entity, system, (str(project / path),)) for (entity, system), path in SAMPLE.items()
    ]


def absolute(path: str, *, takes_addresses: bool = False) -> str:
    """Absolute form of a path or glob; what SQL and the environment cannot carry is refused."""
    if is_address(path) and not takes_addresses:
        raise InputError(
            f"{path} is on other storage, which only Spark reads. Copy it to this "
            "machine first (for S3: aws s3 sync) and give the folder, or build on Spark "
            "(--target spark)."
        )
    for is_held, character, use in (
        (len(SEPARATOR.split(path)) > 1, os.pathsep, "separates locations"),
        ("'" in path, "quote (')", "is not supported"),
    ):
        if is_held:
            raise InputError(
                f"{path} contains a {character}, which {use}. Rename the folder, or give a link "
                "to it."
            )
    return path if is_address(path) else str(Path(path).expanduser().resolve())


def list_files(source: Source) -> Listing:
    """List the files of a source on this machine: the one place in Python that knows which count.

    Of a folder: everything below it that ends as READABLE says and is not called manifest…; of
    `part_0` and `part_0.gz` only the latter.

    An OpenAlex snapshot holds many tables. Which one a file belongs to shows in its path below the
    location (below a glob's last folder without wildcard), never in the folders above: they may be
    called anything. Lists of merged and deleted records lie in `/merged_ids/` and `/deleted_ids…`.
    Of the other files, those in a folder `/works/` are works; a location that has none, such as
    the folder of works itself or a single file, holds works only.

    Raises
    ------
    InputError
        If a location does not exist or has no readable file.
    """
    tables: dict[str, dict[str, None]] = {name: {} for name in TABLES}
    twins: list[str] = []
    for location in source.here.locations:
        here = files_at(location)
        if not here:
            raise InputError(_nothing_at(location, source))
        there = set(here)
        named = _tables(here, location) if source.system == "openalex" else {}
        for file in here:
            if f"{file}.gz" in there:
                twins.append(file)
            else:
                tables[named.get(file, "works")][file] = None
    files, merged, deleted, others = (list(map(Path, tables[name])) for name in TABLES)
    listing = Listing(files, merged, deleted)
    if twins:
        listing.notes.append(
            f"{len(twins)} files exist both plain and as .gz; the .gz files are read. The first: "
            f"{twins[0]}"
        )
    unread = len(set(others) - set(files))
    if unread:
        listing.notes.append(f"{unread} files outside works/ (authors, sources …) are not read.")
    if {".parquet"} < {file.suffix for file in listing.files}:
        listing.notes.append(
            "There are Parquet files and others. If they hold the same records, give only one "
            "folder."
        )
    return listing


def _tables(files: list[str], location: str) -> dict[str, str]:
    """Name the table of each file of an OpenAlex location, by the rule of `list_files`."""
    tables = {}
    root = len(_fixed(location).rstrip("/"))
    for file in files:
        below = file[root:]
        if "/merged_ids/" in below:
            tables[file] = "merged_ids"
        elif "/deleted_ids" in below:
            tables[file] = "deleted_ids"
        else:
            tables[file] = "works" if "/works/" in below else "others"
    if "works" not in tables.values():
        tables = {file: table.replace("others", "works") for file, table in tables.items()}
    return tables


def _fixed(location: str) -> str:
    """Part of a location that is a path and not a pattern, with `/` as separator."""
    location = location.replace(os.sep, "/")
    if Path(location).exists() or not glob.has_magic(location):
        return location
    return re.split(r"[*?\[]", location)[0].rpartition("/")[0]


def matching(pattern: str) -> list[Path]:
    """Return what lies at an absolute path or matches an absolute glob, sorted."""
    path = Path(pattern)
    if path.exists():
        return [path]
    return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))


def files_at(location: str) -> list[str]:
    """Readable files at a location: itself, below it, or matching it; with `/` in paths."""
    files = set()
    for match in matching(location):
        if match.is_dir():
            files.update(str(file) for file in match.rglob("*") if file.is_file())
        else:
            files.add(str(match))
    files = {file.replace(os.sep, "/") for file in files}
    return sorted(file for file in files if _is_readable(file) or file == location)


def _is_readable(file: str) -> bool:
    return bool(READABLE.search(file)) and not PurePosixPath(file).name.startswith("manifest")


def _nothing_at(location: str, source: Source) -> str:
    """Why a location gives no file, and the remedy."""
    if Path(location).is_dir():
        return (
            f"No readable file of {source.name} in {location}. Files must end in "
            f"{READABLE_IN_WORDS}; give another folder with {source.option}."
        )
    if glob.has_magic(location):
        return (
            f"No file that can be read as {source.name} matches {location}. "
            f"Check the glob given with {source.option}, and quote it."
        )
    return f"{location} ({source.name}) does not exist. Check the path given with {source.option}."
