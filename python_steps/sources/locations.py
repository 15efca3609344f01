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
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from python_steps.errors import InputError
from python_steps.sources.formats import look_at
from python_steps.sources.systems import Source, Table, deliveries, is_address

READABLE_IN_WORDS = ".jsonl, .ndjson, .json, .csv, .tsv, .parquet or .gz, or be named part_*"


# Between locations; not the colon of an address such as hdfs://host:9000/folder.
SEPARATOR = re.compile(rf"{re.escape(os.pathsep)}(?!//|\d+(?:[/:]|$))")


@dataclass
class Listing:
    """The files of a source.

    Attributes
    ----------
    files
        What is read as records, in the order of the locations, sorted within each.
    beside
        The files of the other tables of the delivery, such as OpenAlex's lists of deleted works.
    unread
        What may hold records but cannot be read as it is.
    notes
        What a reader should know of the choice, as sentences.
    """

    files: list[Path] = field(default_factory=list)
    beside: dict[str, list[Path]] = field(default_factory=dict)
    unread: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def configured(
    project: Path,
    papers: Iterable[tuple[str, str]],
    patents: Iterable[tuple[str, str]],
    besides: Mapping[str, str | None],
    environment: Mapping[str, str],
    *,
    entities: Iterable[tuple[str, str]] = (),
    takes_addresses: bool = False,
) -> list[Source]:
    """Return the sources that options name; where they name none, those of the environment.

    Parameters
    ----------
    project
        Folder of dbt_project.yml, whose systems are known.
    papers, patents
        Pairs of a system and a path, as given on the command line.
    besides
        Paths of imported labels and links, by their names.
    environment
        Variables as in `os.environ`; those of an entity hold where no option names that entity.
    entities
        Pairs of a register of organisations and a path, likewise.
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
    options = {"papers": list(papers), "patents": list(patents), "entities": list(entities)}
    options |= {entity: [("tables", path)] for entity, path in besides.items() if path}
    sources = []
    for (entity, system), delivery in deliveries(project).items():
        if options.get(entity):
            paths = [path for named, path in options[entity] if named == system]
        else:
            joined = environment.get(delivery.variable, "")
            paths = [path for path in SEPARATOR.split(joined) if path]
        if paths:
            found = (absolute(path, takes_addresses=takes_addresses) for path in paths)
            locations = tuple(dict.fromkeys(found))
            sources.append(Source(delivery, locations))
    return sources


def is_sample(sources: Iterable[Source]) -> bool:
    """Whether no documents are configured, so that the bundled sample is read."""
    return not any(source.delivery.holds_documents for source in sources)


def sample(project: Path) -> list[Source]:
    """Return the bundled sample in the project folder."""
    return [
        Source(delivery, (str(project / delivery.sample),))
        for delivery in deliveries(project).values()
        if delivery.sample
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
        (os.sep == "/" and "\\" in path, "backslash", "is not supported"),
    ):
        if is_held:
            raise InputError(
                f"{path} contains a {character}, which {use}. Rename the folder, or give a link "
                "to it."
            )
    return path if is_address(path) else str(Path(path).expanduser().resolve())


def list_files(source: Source) -> Listing:
    """List the files of a source on this machine: the one place in Python that knows which count.

    Of a folder: everything below it that its table reads (`Table.holds`); of `part_0` and
    `part_0.gz` only the latter.

    A location may hold several tables, as an OpenAlex snapshot does. Which one a file belongs to
    shows in its path below the location (below a glob's last folder without wildcard), never in
    the folders above: they may be called anything.

    Raises
    ------
    InputError
        If a location does not exist or has no readable file.
    """
    tables = (source.delivery.table, *source.delivery.beside)
    found: dict[str, dict[str, None]] = {table.name: {} for table in tables}
    readable: dict[str, None] = {}
    twins: list[str] = []
    unread: list[Path] = []
    for location in source.here.locations:
        paths = _paths_at(location)
        unread += _unread(location, paths, source.delivery.table)
        here = _readable(location, paths, source.delivery.table)
        if not here:
            raise InputError(_nothing_at(location, source))
        plain = [file for file in here if f"{file}.gz" in here or f"{file}.GZ" in here]
        twins += plain
        readable |= dict.fromkeys(here)
        for table in tables:
            found[table.name] |= dict.fromkeys(f for f in table.among(here) if f not in plain)
    listed = {name: list(map(Path, files)) for name, files in found.items()}
    listing = Listing(listed.pop(source.delivery.table.name), listed, unread)
    if twins:
        listing.notes.append(
            f"{len(twins)} files exist both plain and as .gz; the .gz files are read. The first: "
            f"{twins[0]}"
        )
    read = set(twins).union(*found.values())
    others = [file for file in readable if file not in read]
    if others:
        listing.notes.append(
            f"{len(others)} files hold other tables and are not read. The first: {others[0]}"
        )
    if {".parquet"} < {file.suffix.lower() for file in listing.files}:
        listing.notes.append(
            "There are Parquet files and others. If they hold the same records, give only one "
            "folder."
        )
    return listing


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


def files_at(location: str, table: Table) -> dict[str, str]:
    """Return the readable files at a location, sorted, each with its path below the location.

    A location may be a file, a folder or a glob; a file that is named outright is readable by any
    name. Links are followed. Paths have `/` as separator.

    Raises
    ------
    InputError
        If a link leads nowhere, to a folder above itself, or to a file that is there already.
    """
    return _readable(location, _paths_at(location), table)


@dataclass(frozen=True)
class _Paths:
    """All files at a location, sorted, with their paths below it, and whether a link is there."""

    below: Mapping[str, str]
    has_links: bool


def _readable(location: str, paths: _Paths, table: Table) -> dict[str, str]:
    below = paths.below.items()
    found = {path: b for path, b in below if table.holds(path, b) or path == location}
    if paths.has_links:
        _refuse_links(found)
    return found


def _unread(location: str, paths: _Paths, table: Table) -> Iterator[Path]:
    """Yield the files of a folder that may hold records but cannot be read as they are."""
    for path, below in paths.below.items():
        is_hidden = re.search(table.ignored_files, below)
        if table.leaves_unread(path) and not is_hidden and path != location:
            yield Path(path)


def _paths_at(location: str) -> _Paths:
    files: dict[str, bool] = {}
    for match in matching(location):
        found = _below(str(match)) if match.is_dir() else [(str(match), match.is_symlink())]
        files |= dict(found)
    root = len(_fixed(location).rstrip("/"))
    paths = sorted(file.replace(os.sep, "/") for file in files)
    below = {path: "/" + path[root:].lstrip("/") for path in paths}
    return _Paths(below, any(files.values()))


def _below(folder: str, *, is_linked: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield the files below a folder and links that lead nowhere, and whether by a link."""
    with os.scandir(folder) as entries:
        for entry in entries:
            is_link = entry.is_symlink()
            if not entry.is_dir():
                yield entry.path, is_linked or is_link
                continue
            if is_link:
                real = os.path.realpath(entry.path)
                if f"{os.path.realpath(folder)}/".startswith(f"{real}/"):
                    raise InputError(
                        f"{entry.path} is a link to a folder above itself. Remove the link."
                    )
            yield from _below(entry.path, is_linked=is_linked or is_link)


def _refuse_links(files: Iterable[str]) -> None:
    """Refuse links that lead nowhere, and files that would be read twice because of a link."""
    by_place: dict[Path, str] = {}
    for file in files:
        real = Path(file).resolve()
        if not real.exists():
            raise InputError(
                f"{file} is a link to a file that is not there. Fetch the file or remove the link."
            )
        if real in by_place:
            raise InputError(
                f"{by_place[real]} and {file} are the same file, by a link: its records would be "
                "read twice. Remove the link."
            )
        by_place[real] = file


def _nothing_at(location: str, source: Source) -> str:
    """Why a location gives no file, and the remedy."""
    if Path(location).is_dir():
        others = [Path(file) for file in _paths_at(location).below if Path(file).is_file()]
        required = source.delivery.required
        found = next(filter(None, (_in_words(file, required) for file in others[:10])), "")
        return (
            f"No readable file of {source.name} in {location}. {found}Files must end in "
            f"{READABLE_IN_WORDS}; give another folder with {source.option}."
        )
    if glob.has_magic(location):
        return (
            f"No file that can be read as {source.name} matches {location}. "
            f"Check the glob given with {source.option}, and quote it."
        )
    return f"{location} ({source.name}) does not exist. Check the path given with {source.option}."


def _in_words(file: Path, required: Iterable[Collection[str]]) -> str:
    """Say what a file is, if it is known and cannot be read."""
    try:
        found = look_at(file, required)
    except OSError:
        return ""
    return f"{found.about(file)} " if found else ""
